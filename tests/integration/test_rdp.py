#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RDP front and the real xfreerdp3: every way the picture can travel, pixel by pixel, and what the user does."""
import concurrent.futures
import glob
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import rdp_harness
from rdp_harness import Session, colours, part, psnr, read_ppm, widest_error

TEXT = "Año nuevo: café, 12 € — «día»\nsegunda línea"


@unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
class Picture(unittest.TestCase):
    def session(self, *options, **more):
        s = Session(*options, **more)
        self.addCleanup(s.close)
        return s

    def ops(self, s):
        return int(s.lines.until("^opened ops=([0-9a-f]+)").group(1), 16)

    def exact(self, s):
        have, want = s.exact()
        self.assertEqual(widest_error(have, want), 0, "the client shows something else; PSNR %.1f; it says: %s" % (psnr(have, want), s.client_text()[-600:]))

    def film(self, *options, host_options=(), of=lambda rows: rows):
        """A moving quarter, then stillness. Returns the worst PSNR of the pictures seen while it moved, or of a part of them."""
        directory = tempfile.mkdtemp(prefix="puesto-film-")
        self.addCleanup(shutil.rmtree, directory)
        s = self.session(*options, host_options=["--animate", "70", "--frames", directory + "/", *host_options])
        s.lines.until("^opened")
        count = lambda: len(glob.glob(directory + "/*.ppm"))
        shots = []
        end = time.monotonic() + rdp_harness.SECONDS
        while count() < 68:
            self.assertLess(time.monotonic(), end)
            if count() > 35 and len(shots) < 4:
                shots.append(part(s.display.picture(640, 480), 0, 0, 320, 240))
            time.sleep(0.02)
        frames = [part(read_ppm(path), 0, 0, 320, 240) for path in glob.glob(directory + "/*.ppm")]
        worst = min(psnr(of(max(frames, key=lambda f: psnr(f[::24], shot[::24]))), of(shot)) for shot in shots)
        self.exact(s)
        s.client.terminate()
        ops = s.lines.until(r"^ops .*lossy=(\d+) video=(\d+)")
        return worst, int(ops.group(1)), int(ops.group(2))

    def test_the_graphics_pipeline_is_exact(self):
        s = self.session("/gfx:RFX")
        self.assertEqual(self.ops(s), 0b01111)
        self.exact(s)

    def test_the_path_is_known_before_the_first_picture(self):
        s = self.session("/gfx:RFX")
        s.lines.until(r"^path rtt_us=[1-9]\d* rate_kbps=0 ")
        self.exact(s)
        s.client.terminate()
        s.lines.until(r"^path rtt_us=[1-9]\d* rate_kbps=[1-9]")

    def test_h264_moves_and_is_exact_when_still(self):
        worst, lossy, video = self.film("/gfx:AVC420")
        self.assertGreaterEqual(worst, 35)
        self.assertGreater(video, 20)

    def test_h264_with_all_of_the_chroma_is_nearer_in_its_colours(self):
        play = lambda mode: self.film(mode, host_options=["--strokes", "--wide"], of=colours)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            (half, *_), (full, lossy, video) = pool.map(play, ["/gfx:AVC420", "/gfx:AVC444"])
        self.assertGreater(video, 20)
        self.assertGreater(full, half + 4, "with 4:2:0 %.1f dB" % half)

    def test_the_pipeline_s_remotefx_moves_and_is_exact_when_still(self):
        worst, lossy, video = self.film("/gfx:RFX")
        self.assertGreaterEqual(worst, 35)
        self.assertGreater(lossy, 20)
        self.assertEqual(video, 0)

    def test_a_client_that_suspends_its_acknowledgements(self):
        worst, lossy, video = self.film("/gfx:RFX,frame-ack:off")
        self.assertGreaterEqual(worst, 35)
        self.assertGreater(lossy, 20)

    def test_remotefx_without_the_pipeline(self):
        worst, lossy, video = self.film("/bpp:32", "/rfx")
        self.assertGreaterEqual(worst, 35)
        self.assertGreater(lossy, 20)

    def test_bitmaps_of_32_and_24_bits_are_exact(self):
        for depth in (32, 24):
            s = self.session("/bpp:%d" % depth, size="642x481", screen=(642, 481))
            self.assertEqual(self.ops(s), 0b00100)
            self.exact(s)

    def test_bitmaps_of_16_bits_are_near(self):
        s = self.session("/bpp:16")
        s.lines.until("^exact")
        wait_until(lambda: widest_error(*pictures(s)) < 16)
        have, want = pictures(s)
        self.assertGreaterEqual(psnr(have, want), 33)

    def widest_gap(self, s):
        """Seconds without a new picture, at most, while the film runs."""
        s.lines.until("^opened")
        start = changed = now = time.monotonic()
        last, gap = None, 0
        while now < start + 9:
            picture = s.display.run("xwd", "-root", "-silent", capture_output=True).stdout
            now = time.monotonic()
            gap = max(gap, now - changed)
            if picture != last:
                last, changed = picture, now
            time.sleep(0.05)
        return gap

    def test_a_moving_picture_never_stops(self):
        modes = (["/gfx:AVC420"], ["/gfx:RFX"], ["/bpp:32", "/rfx"], ["/bpp:32"], ["/bpp:16"])
        sessions = [self.session(*mode, host_options=["--animate", "250"]) for mode in modes]
        with concurrent.futures.ThreadPoolExecutor(len(modes)) as pool:
            gaps = list(pool.map(self.widest_gap, sessions))
        self.assertLess(max(gaps), 2, gaps)
        for s in sessions[:-1]:
            s.lines.until("^shown")
            self.exact(s)
            self.assertEqual(len([line for line in s.lines.seen if line.startswith("opened")]), 1, "the client has closed its graphics channel")

    def test_a_key_changes_the_picture_exactly(self):
        for option in ("/gfx:RFX", "/bpp:32"):
            s = self.session(option)
            self.exact(s)
            s.mark = len(s.lines.seen)
            s.display.run("xdotool", "mousemove", "300", "200", "click", "1", "key", "a")
            self.assertEqual(s.lines.until(r"^pointer (\d+ \d+) 1").group(1), "300 200")
            self.assertEqual(s.lines.until(r"^key \w+ (\d+)").group(1), "30")
            self.exact(s)

    def test_a_page_that_was_seen_costs_little_and_is_exact(self):
        s = self.session("/gfx:RFX", size="1000x600", screen=(1000, 600))
        self.exact(s)
        sent = []
        for page in range(4):
            s.mark = len(s.lines.seen)
            s.display.run("xdotool", "mousemove", "300", "200", "key", "p")
            sent.append(int(s.lines.until(r"^path .*sent=(\d+)", start=s.mark).group(1)))
            self.exact(s)
        first, again = sent[1] - sent[0], sent[3] - sent[2]
        self.assertLess(again, min(first // 10, 200))

    def test_the_desktop_follows_the_window(self):
        for option in ("/gfx:RFX", "/bpp:32"):
            s = self.session(option, "/dynamic-resolution", screen=(1000, 800))
            self.exact(s)
            s.mark = len(s.lines.seen)
            window = s.display.run("xdotool", "search", "--name", "FreeRDP", capture_output=True, text=True).stdout.split()[0]
            s.display.run("xdotool", "windowsize", window, "804", "603")
            s.lines.until("^resize 80[0-4]x60[0-3]", start=s.mark)
            self.exact(s)

    def test_a_desktop_of_another_size_than_the_client_s(self):
        for option in ("/gfx:RFX", "/bpp:32", "/rfx"):
            s = self.session(option, size="800x600", wish="640x480", screen=(900, 700))
            self.exact(s)


def pictures(s):
    want = read_ppm(s.file)
    return s.display.picture(len(want[0]) // 3, len(want)), want


def wait_until(predicate, seconds=rdp_harness.SECONDS):
    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
class Clipboard(unittest.TestCase):
    def own(self, s, text):
        process = subprocess.Popen(["xclip", "-selection", "clipboard", "-quiet", "-i"], env=s.display.env, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdin.write(text.encode())
        process.stdin.close()
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def paste(self, s):
        out = subprocess.run(["xclip", "-selection", "clipboard", "-o", "-t", "UTF8_STRING"], env=s.display.env, capture_output=True, timeout=10)
        return out.stdout.decode(errors="replace")

    def test_text_both_ways(self):
        """The host sends back what it got in «». xfreerdp3 3.8 to 3.16 converts only from the second paste on (docs/rdp.md)."""
        s = Session("/gfx:RFX", "+clipboard")
        self.addCleanup(s.close)
        s.lines.until("^exact")
        self.own(s, TEXT)
        s.lines.until("^clipboard " + TEXT.split("\n")[0])
        wanted = "«" + TEXT + "»"
        wait_until(lambda: wanted == self.paste(s).replace("\r\n", "\n"))


@unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
class OtherClient(unittest.TestCase):
    """What no real client does on command, by rdp_client."""

    def session(self, pipeline, **more):
        s = Session(program=[os.path.join(rdp_harness.BUILD, "tests/integration/rdp_client"), "--pipeline", pipeline], **more)
        self.addCleanup(s.close)
        return s

    def test_one_that_never_answers_on_the_graphics_channel_gets_bitmaps(self):
        s = self.session("mute")
        s.client_lines.until("^connected")
        start = time.monotonic()
        s.client_lines.until("^bitmap")
        self.assertGreater(time.monotonic() - start, 4)
        s.lines.until("^exact")

    def test_one_that_closes_the_graphics_channel_gets_bitmaps(self):
        s = self.session("close")
        s.client_lines.until("^closes")
        start = time.monotonic()
        s.client_lines.until("^bitmap")
        self.assertLess(time.monotonic() - start, 4)
        s.lines.until("^exact")

    def test_a_pointer_that_was_seen_is_a_number(self):
        s = self.session("mute")
        s.client_lines.until("^pointer 16x16")
        s.client_lines.until("^pointer 12x12")
        s.client_lines.until("^pointer of slot 0")

    def test_one_that_is_activated_again_gets_the_pointer_again(self):
        s = self.session("none", size="800x600")
        s.client_lines.until("^size 800x600")
        s.client_lines.until("^pointer 16x16", start=s.client_lines.seen.index("size 800x600"))
        s.lines.until("^exact")


@unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
class LogIn(unittest.TestCase):
    def test_a_wrong_password_is_told_at_once(self):
        s = Session("/gfx:RFX", password="wrong")
        self.addCleanup(s.close)
        s.lines.until("^login ana refused")
        start = time.monotonic()
        s.client.wait(rdp_harness.SECONDS)
        self.assertLess(time.monotonic() - start, 5)
        self.assertIn("ERRINFO_SERVER_FRESH_CREDENTIALS_REQUIRED", s.client_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
