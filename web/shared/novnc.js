// SPDX-License-Identifier: GPL-3.0-or-later
/** Whether this server has noVNC, which an installation adds beside our own pages (deploy/novnc). */

export const NOVNC = '/novnc/upstream';

/** Its version; '' where it is not there. Throws when the server does not answer. */
export async function novncVersion() {
	const response = await fetch(`${NOVNC}/package.json`, { cache: 'no-cache' });
	if (!response.ok)
		return '';
	return String((await response.json()).version ?? '');
}
