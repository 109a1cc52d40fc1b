// SPDX-License-Identifier: GPL-3.0-or-later
/** The wires that are measured, in the order of the tables. */

import { OWN } from './own.mjs';
import { RDP_PEERS } from './peers_rdp.mjs';
import { VNC_PEERS } from './peers_vnc.mjs';

export const WIRES = [...OWN, ...VNC_PEERS, ...RDP_PEERS];
