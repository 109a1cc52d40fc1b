// SPDX-License-Identifier: GPL-3.0-or-later
/** How Chromium is started. */

export const LAUNCH = {
	executablePath: process.env.PUESTO_CHROMIUM ?? '/usr/bin/chromium',
	args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
};
