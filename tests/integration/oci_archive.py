# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of container images, whole and broken ones: an OCI layout (image-spec 1.0) and what `docker save` writes."""
import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
OCI = "application/vnd.oci.image."
LAYER = OCI + "layer.v1.tar"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def file(name, text="", **more):
    return dict(more, name=name, text=text)


def tar_of(entries):
    """Each {"name", "type", "mode", "text", "link", "uid", "size"}, or bytes that are taken as they are."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for e in entries:
            info = tarfile.TarInfo(e["name"])
            data = e.get("text", "").encode()
            info.type, info.linkname = e.get("type", tarfile.REGTYPE), e.get("link", "")
            info.mode = e.get("mode", 0o755 if info.type == tarfile.DIRTYPE else 0o644)
            info.uid, info.gid, info.mtime, info.size = e.get("uid", 0), e.get("gid", 0), 1700000000, len(data)
            info.devmajor, info.devminor = e.get("dev", (0, 0))
            info.pax_headers = e.get("pax", {})
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def folder(name, **more):
    return dict(more, name=name, type=tarfile.DIRTYPE)


def link(name, to, **more):
    return dict(more, name=name, type=tarfile.SYMTYPE, link=to)


def hard(name, to):
    return {"name": name, "type": tarfile.LNKTYPE, "link": to}


def pack(how, tar):
    """(media type, bytes)"""
    if how == "gzip":
        return LAYER + "+gzip", gzip.compress(tar, 1)
    if how == "zstd":
        return LAYER + "+zstd", subprocess.run(["zstd", "-q", "-1", "-c"], input=tar, stdout=subprocess.PIPE, check=True).stdout
    return LAYER, tar


def config_of(tars, architecture=ARCHITECTURE, system="linux"):
    return json.dumps({"architecture": architecture, "os": system, "config": {"Cmd": ["/bin/sh"]},
                       "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(t) for t in tars]}}).encode()


class Layout:
    """An OCI layout in parts, so that a test can spoil one before it is written."""

    def __init__(self):
        self.blobs, self.top, self.files = {}, [], {}

    def blob(self, data):
        self.blobs[sha256(data)] = data
        return {"digest": "sha256:" + sha256(data), "size": len(data)}

    def manifest(self, tars, packed=None, config=None, **more):
        """The descriptor of an image of these layers, whose blobs it adds."""
        packed = packed or [pack("", t) for t in tars]
        layers = [dict(self.blob(data), mediaType=kind) for kind, data in packed]
        text = json.dumps({"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "layers": layers,
                           "config": dict(self.blob(config or config_of(tars)), mediaType=OCI + "config.v1+json")}).encode()
        return dict(self.blob(text), mediaType=OCI + "manifest.v1+json", **more)

    def index(self, *descriptors):
        text = json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": descriptors}).encode()
        return dict(self.blob(text), mediaType=OCI + "index.v1+json")

    def write(self, path):
        files = dict({"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps({"schemaVersion": 2, "manifests": self.top}).encode()}, **self.files)
        files.update(("blobs/sha256/" + digest, data) for digest, data in self.blobs.items())
        write(path, files)


def write(path, files):
    """Members of an archive: bytes, or the text of where a link leads."""
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if isinstance(data, str):
                info.type, info.linkname = tarfile.SYMTYPE, data
                tar.addfile(info)
            else:
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))


def oci(path, *tars, how=""):
    layout = Layout()
    layout.top = [layout.manifest(tars, [pack(how, t) for t in tars])]
    layout.write(path)


def saved(path, *tars):
    """As Docker 20.10 does it: a layer that comes twice is a link the second time. Returns the image's id."""
    config = config_of(tars)
    files, names = {sha256(config) + ".json": config}, []
    for n, tar in enumerate(tars):
        name = "%064x/layer.tar" % n
        first = next((m for m, t in enumerate(tars[:n]) if t == tar), None)
        files[name] = tar if first is None else "../%064x/layer.tar" % first
        names.append(name)
    files["manifest.json"] = json.dumps([{"Config": sha256(config) + ".json", "RepoTags": ["desk:1"], "Layers": names}]).encode()
    write(path, files)
    return sha256(config)
