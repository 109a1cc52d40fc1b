# web: the pages, as they are: no build step stands between these files and the browser. Installed, each page has its modules in one file besides.
webclientdir = $(webdir)/client
dist_webclient_DATA = \
	web/client/bars.js \
	web/client/client.css \
	web/client/clipboard.js \
	web/client/clipboardbox.js \
	web/client/consolebar.js \
	web/client/display.js \
	web/client/flat.js \
	web/client/marks.js \
	web/client/fullscreen.js \
	web/client/index.html \
	web/client/keyboard.js \
	web/client/keycodes.js \
	web/client/keysyms.js \
	web/client/link.js \
	web/client/main.js \
	web/client/menu.js \
	web/client/overlap.js \
	web/client/picture.js \
	web/client/pointer.js \
	web/client/protocol.js \
	web/client/screen.js \
	web/client/session.js \
	web/client/shape.js \
	web/client/specialkeys.js \
	web/client/statistics.js \
	web/client/veil.js \
	web/client/video.js \
	web/client/words.js \
	web/client/worker.js \
	web/client/zstd-fse.js \
	web/client/zstd-huffman.js \
	web/client/zstd.js

webconsoledir = $(webdir)/console
dist_webconsole_DATA = \
	web/console/access.js \
	web/console/bulk.js \
	web/console/carried.js \
	web/console/console.css \
	web/console/dashboard.js \
	web/console/datastores.js \
	web/console/desktops.js \
	web/console/event-log.js \
	web/console/event-words.js \
	web/console/explain.js \
	web/console/groups.js \
	web/console/hosts.js \
	web/console/image-files.js \
	web/console/images.js \
	web/console/index.html \
	web/console/list.js \
	web/console/main.js \
	web/console/object.js \
	web/console/operations.js \
	web/console/personal.js \
	web/console/pool-form.js \
	web/console/pools.js \
	web/console/providers.js \
	web/console/rollouts.js \
	web/console/recycled.js \
	web/console/backups.js \
	web/console/words-backups.js \
	web/console/router.js \
	web/console/sessions.js \
	web/console/site.js \
	web/console/tokens.js \
	web/console/users.js \
	web/console/words-hosts.js \
	web/console/words-objects.js \
	web/console/words-operations.js \
	web/console/words-rollouts.js \
	web/console/words-storage.js \
	web/console/words.js

# noVNC itself is no part of Puesto: deploy/novnc adds it to an installation, as web/novnc/upstream.
webnovncdir = $(webdir)/novnc
dist_webnovnc_DATA = \
	web/novnc/display.js \
	web/novnc/index.html \
	web/novnc/main.js \
	web/novnc/words.js

webportaldir = $(webdir)/portal
dist_webportal_DATA = \
	web/portal/index.html \
	web/portal/main.js \
	web/portal/other.js \
	web/portal/pools.js \
	web/portal/portal.css \
	web/portal/snapshots.js \
	web/portal/tile.js \
	web/portal/words.js

webshareddir = $(webdir)/shared
dist_webshared_DATA = \
	web/shared/api.js \
	web/shared/controls.css \
	web/shared/dialog.js \
	web/shared/dom.js \
	web/shared/form.js \
	web/shared/i18n.js \
	web/shared/icon.svg \
	web/shared/icons.js \
	web/shared/keyed.js \
	web/shared/live.js \
	web/shared/login.js \
	web/shared/menu.js \
	web/shared/novnc.js \
	web/shared/password.js \
	web/shared/snapshots.js \
	web/shared/states.js \
	web/shared/theme.css \
	web/shared/theme.js \
	web/shared/time.js \
	web/shared/toast.js \
	web/shared/topbar.js

EXTRA_DIST += web/bundle.py
install-data-hook: bundle-web
bundle-web:
	if $(PYTHON) -c "" >/dev/null 2>&1; then $(PYTHON) "$(srcdir)/web/bundle.py" "$(DESTDIR)$(webdir)"; fi
uninstall-hook:
	rm -f "$(DESTDIR)$(webdir)"/*/bundle-*.gz
.PHONY: bundle-web
