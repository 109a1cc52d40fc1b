# SPDX-License-Identifier: GPL-3.0-or-later
# An OCI archive (image-spec 1.0, image layout): one layer, its configuration, a manifest, an index. Sourced by image-builder.

# blob_add DIR FILE: moves a file to its place, says its digest.
blob_add() {
	local sum
	sum=$(sha256sum "$2" | cut -d' ' -f1)
	mv "$2" "$1/blobs/sha256/$sum"
	printf '%s' "$sum"
}

blob_size() { stat -c %s "$1/blobs/sha256/$2"; }

# archive_tar DIR WORDS…: the same bytes from the same files.
archive_tar() { tar -C "$1" --sort=name --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime --numeric-owner "--mtime=@$SOURCE_DATE_EPOCH" -cf - "${@:2}"; }

# oci_make WORK OUTPUT
oci_make() {
	local at=$1/oci created layer diff config manifest
	step "Making the archive"
	mkdir -p "$at/blobs/sha256"
	created=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
	archive_tar "$1/tree" . >"$1/layer"
	diff=$(sha256sum "$1/layer" | cut -d' ' -f1)
	layer=$(blob_add "$at" "$1/layer")
	printf '{"created":"%s","architecture":"amd64","os":"linux","config":{"Cmd":["/sbin/init"],"Env":["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"%s","created_by":"deploy/image-builder"}]}' \
		"$created" "$diff" "$created" >"$1/config"
	config=$(blob_add "$at" "$1/config")
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:%s","size":%s}]}' \
		"$config" "$(blob_size "$at" "$config")" "$layer" "$(blob_size "$at" "$layer")" >"$1/manifest"
	manifest=$(blob_add "$at" "$1/manifest")
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}' \
		"$manifest" "$(blob_size "$at" "$manifest")" "$NAME:$VERSION" >"$at/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$at/oci-layout"
	archive_tar "$at" oci-layout index.json blobs >"$1/image.tar"
	mv "$1/image.tar" "$2/image.tar"
}
