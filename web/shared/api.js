// SPDX-License-Identifier: GPL-3.0-or-later
/** The HTTP API from a page: JSON in and out, the CSRF header, and problems as errors with a sentence for people. */

import { language, t, addSentences } from './i18n.js';

addSentences({
	'api.offline': ['The server does not answer. Check the network; this page tries again.', 'El servidor no responde. Compruebe la red; esta página lo volverá a intentar.'],
	'api.failed': ['The server answered with an error ({status}).', 'El servidor ha respondido con un error ({status}).'],
});

const BASE = '/api/v1';

/** Problems whose sentence says it all; their detail is for logs. */
const SAID = new Set(['exists', 'internal', 'storage', 'login_needed', 'login_over']);

/** An answer that is not a success. `message` can be shown to people. */
export class ApiError extends Error {
	/** @param {number} status 0 when there was no answer @param {string} code @param {string} title @param {number} [retryAfterMs] @param {object} [problem] */
	constructor(status, code, title, retryAfterMs = 0, problem = {}) {
		super(title);
		this.status = status;
		this.code = code;
		this.retryAfterMs = retryAfterMs;
		this.problem = problem;
	}
}

/** @type {string | null} */
let csrf = null;

/** After POST /sessions the answer carries the token; else it is asked for when first needed. @param {string | null} token */
export function setCsrf(token) {
	csrf = token;
}

/** @param {Response} response */
async function problemOf(response) {
	/** @type {any} */
	let body = {};
	try {
		body = await response.json();
	} catch { /* not JSON: the status has to do */ }
	const title = (language() === 'es' ? body.title_es : '') || body.title || t('api.failed', { status: response.status });
	const after = Number(response.headers.get('retry-after')) * 1000 || 0;
	return new ApiError(response.status, body.code ?? '', title, after, body);
}

/** @param {string} method @param {string} path @param {Record<string, string>} headers @param {string | undefined} body @param {AbortSignal} [signal] */
async function send(method, path, headers, body, signal) {
	try {
		return await fetch(BASE + path, { method, headers, body, signal, credentials: 'same-origin', cache: 'no-store' });
	} catch (reason) {
		if (signal?.aborted)
			throw reason;
		throw new ApiError(0, 'offline', t('api.offline'));
	}
}

/**
 * @param {string} method @param {string} path below /api/v1
 * @param {unknown} [data] sent as JSON
 * @param {{signal?: AbortSignal, headers?: Record<string, string>}} [options]
 * @returns {Promise<{status: number, data: any}>}
 */
export async function api(method, path, data, options = {}) {
	/** @type {Record<string, string>} */
	const headers = { accept: 'application/json', 'accept-language': language(), ...options.headers };
	const isSafe = method === 'GET' || method === 'HEAD';
	const isLogin = method === 'POST' && path === '/sessions';
	if (!isSafe && !isLogin)
		headers['x-csrf-token'] = csrf ?? (await me()).csrf;
	if (data !== undefined)
		headers['content-type'] = 'application/json';
	const body = data === undefined ? undefined : JSON.stringify(data);
	let response = await send(method, path, headers, body, options.signal);
	if (!response.ok) {
		let problem = await problemOf(response);
		if (problem.code === 'csrf' && !isSafe) {
			// Another tab has logged in anew: take the token that counts now, once.
			headers['x-csrf-token'] = (await me()).csrf;
			response = await send(method, path, headers, body, options.signal);
			problem = response.ok ? problem : await problemOf(response);
		}
		if (!response.ok) {
			if (problem.status === 401 && !isLogin && path !== '/me')
				document.dispatchEvent(new CustomEvent('puesto-login-needed'));
			throw problem;
		}
	}
	if (response.status === 204)
		return { status: 204, data: null };
	return { status: response.status, data: await response.json() };
}

/** Who is logged in; an ApiError of status 401 when nobody is. */
export async function me() {
	const { data } = await api('GET', '/me');
	csrf = data.csrf;
	return data;
}

/** The whole sentence for people: what is wrong, then what the server says about this very case. @param {unknown} reason */
export function problemText(reason) {
	if (!(reason instanceof ApiError))
		return reason instanceof Error ? reason.message : String(reason);
	const problem = /** @type {any} */ (reason.problem);
	const detail = (language() === 'es' ? problem.detail_es : '') || problem.detail;
	return detail && !SAID.has(reason.code) ? `${reason.message} (${detail})` : reason.message;
}

/** @param {number} ms @param {AbortSignal} [signal] */
export function sleep(ms, signal) {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(resolve, ms);
		signal?.addEventListener('abort', () => {
			clearTimeout(timer);
			reject(signal.reason);
		}, { once: true });
	});
}
