// SPDX-License-Identifier: GPL-3.0-or-later
/**
 * The clip and the photo that the drawing program shows. The pictures are rendered by landscape.c; the clip then goes through H.264 and back, since
 * what players draw on a desktop has always been compressed once. Made once a build, and kept there.
 */

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';

export const CLIP = { width: 640, height: 360, fps: 30, frames: 120 };
const PHOTO = { width: 1280, height: 960 };
const FOLDER = `${process.env.PUESTO_BUILD}/tests/bench`;
const FILES = { clip: `${FOLDER}/media/clip.bgrx`, photo: `${FOLDER}/media/photo.bgrx` };
const LOOK = 'noise=alls=4:allf=t:all_seed=5';

/** Runs ffmpeg on the renderer's raw pictures. @param {string[]} through what ffmpeg does with them */
async function render({ width, height, frames }, through) {
	const renderer = spawn(`${FOLDER}/landscape`, [width, height, frames].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
	const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-y', '-f', 'rawvideo', '-pix_fmt', 'bgr0', '-s', `${width}x${height}`, '-r', String(CLIP.fps), '-i', '-', ...through],
		{ stdio: ['pipe', 'inherit', 'inherit'] });
	renderer.stdout.pipe(ffmpeg.stdin);
	const [code] = await once(ffmpeg, 'exit');
	if (code)
		throw new Error('ffmpeg could not make the clip');
}

async function make(file, bytes, how) {
	if (existsSync(file) && statSync(file).size === bytes)
		return;
	await how(`${file}.new`);
	renameSync(`${file}.new`, file);
}

/** Paths of both files. @returns {Promise<{ clip: string, photo: string }>} */
export async function media() {
	mkdirSync(`${FOLDER}/media`, { recursive: true });
	await make(FILES.clip, CLIP.width * CLIP.height * 4 * CLIP.frames, async (to) => {
		const coded = `${FOLDER}/media/clip.mp4`;
		await render(CLIP, ['-vf', `${LOOK},format=yuv420p`, '-c:v', 'libx264', '-preset', 'medium', '-crf', '20', '-threads', '1', coded]);
		execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', coded, '-f', 'rawvideo', '-pix_fmt', 'bgr0', to], { stdio: 'inherit' });
	});
	await make(FILES.photo, PHOTO.width * PHOTO.height * 4, (to) => render({ ...PHOTO, frames: 1 }, ['-vf', LOOK, '-f', 'rawvideo', '-pix_fmt', 'bgr0', to]));
	return FILES;
}
