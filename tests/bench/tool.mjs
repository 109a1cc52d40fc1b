// SPDX-License-Identifier: GPL-3.0-or-later
/** A program of this folder that is spoken to in lines: each question is a line, each answer is one. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const FOLDER = `${process.env.PUESTO_BUILD}/tests/bench`;
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
export const endTools = () => running.forEach((child) => child.kill('SIGKILL'));

export class Tool {
	/** Lines that answer nothing, by their first word. */
	asides = /** @type {Record<string, string[][]>} */ ({});
	#waiting = /** @type {((words: string[] | Error) => void)[]} */ ([]);

	/** @param {string} name @param {import('node:child_process').ChildProcess} child @param {string[]} asides first words of lines that are told unasked */
	constructor(name, child, asides = []) {
		this.name = name;
		this.child = child;
		for (const word of asides)
			this.asides[word] = [];
		running.add(child);
		createInterface({ input: child.stdout }).on('line', (line) => {
			const words = line.split(' ');
			if (this.asides[words[0]])
				this.asides[words[0]].push(words.slice(1));
			else
				this.#waiting.shift()?.(words);
		});
		child.stdin.on('error', () => {}); /* it has ended; the questions that wait are told below */
		child.on('exit', (code) => {
			running.delete(child);
			this.#waiting.splice(0).forEach((tell) => tell(new Error(`tests/bench/${name} ended (${code})`)));
		});
	}

	/** Starts one of this folder's programs and waits for its "ready". @param {string} name @param {(string | number)[]} args */
	static async start(name, args, options = {}) {
		return Tool.ready(name, spawn(`${FOLDER}/${name}`, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'], ...options }));
	}

	/** @param {string[]} [asides] */
	static async ready(name, child, asides) {
		const tool = new Tool(name, child, asides);
		tool.greeting = await tool.#answer(20);
		if (tool.greeting[0] !== 'ready')
			throw new Error(`tests/bench/${name} said: ${tool.greeting.join(' ')}`);
		return tool;
	}

	/** @returns {Promise<string[]>} the words of the next line */
	#answer(seconds) {
		return new Promise((resolve, reject) => {
			const late = setTimeout(() => reject(new Error(`tests/bench/${this.name} did not answer within ${seconds} s`)), seconds * 1000);
			this.#waiting.push((words) => {
				clearTimeout(late);
				words instanceof Error ? reject(words) : resolve(words);
			});
		});
	}

	/** @param {string} line @returns {Promise<string[]>} the words of the answer */
	ask(line, seconds = 60) {
		const answer = this.#answer(seconds);
		this.child.stdin.write(`${line}\n`);
		return answer;
	}

	close() {
		this.child.stdin.end();
		this.child.kill();
	}
}
