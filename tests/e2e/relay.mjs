// SPDX-License-Identifier: GPL-3.0-or-later
/** A TCP relay on the loopback that counts bytes and can break the path: a reset, or silence. */

import { once } from 'node:events';
import net from 'node:net';

export class Relay {
	/** @param {number} to the port that it leads to */
	constructor(to) {
		this.to = to;
		this.up = 0;
		this.down = 0;
		this.connections = 0;
		this.began = this.last = 0;
		this.isSilent = false;
		/** @type {Set<net.Socket>} */
		this.sockets = new Set();
		this.server = net.createServer((client) => this.#join(client));
	}

	async listen() {
		this.server.listen(0, '127.0.0.1');
		await once(this.server, 'listening');
		this.port = this.server.address().port;
		return this;
	}

	#join(client) {
		const server = net.connect(this.to, '127.0.0.1');
		this.connections++;
		this.#pass(client, server, (n) => { this.up += n; });
		this.#pass(server, client, (n) => {
			this.down += n;
			this.last = performance.now();
		});
	}

	#pass(from, to, count) {
		this.sockets.add(from);
		from.setNoDelay(true);
		if (this.isSilent)
			from.pause();
		from.on('data', (bytes) => {
			count(bytes.length);
			if (!to.write(bytes))
				from.pause();
		});
		to.on('drain', () => this.isSilent || from.resume());
		from.on('end', () => to.end());
		from.on('error', () => {});
		from.on('close', () => {
			this.sockets.delete(from);
			to.destroy();
		});
	}

	/** Starts the clock of settled(). */
	begin() {
		this.began = this.last = performance.now();
	}

	/** Waits until nothing has come down for this long, counted from now on; ms from begin() to the last byte. */
	async settled(quietMs = 400) {
		const from = performance.now();
		for (;;) {
			const quiet = performance.now() - Math.max(this.last, from);
			if (quiet >= quietMs)
				return this.last - this.began;
			await new Promise((resolve) => setTimeout(resolve, quietMs - quiet + 1));
		}
	}

	/** Both sides of every connection get a reset. */
	cut() {
		for (const socket of this.sockets)
			socket.resetAndDestroy();
	}

	/** Nothing passes, and nobody is told. @param {boolean} isSilent */
	silence(isSilent) {
		this.isSilent = isSilent;
		for (const socket of this.sockets)
			isSilent ? socket.pause() : socket.resume();
	}

	close() {
		this.cut();
		this.server.close();
	}
}
