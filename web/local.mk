# web: the pages, as they are: no build step stands between these files and the browser.
webclientdir = $(webdir)/client
dist_webclient_DATA = \
	web/client/client.css \
	web/client/clipboard.js \
	web/client/display.js \
	web/client/flat.js \
	web/client/index.html \
	web/client/keyboard.js \
	web/client/keycodes.js \
	web/client/keysyms.js \
	web/client/link.js \
	web/client/main.js \
	web/client/menu.js \
	web/client/picture.js \
	web/client/pointer.js \
	web/client/protocol.js \
	web/client/session.js \
	web/client/shape.js \
	web/client/statistics.js \
	web/client/video.js \
	web/client/words.js \
	web/client/worker.js \
	web/client/zstd-fse.js \
	web/client/zstd-huffman.js \
	web/client/zstd.js

webshareddir = $(webdir)/shared
dist_webshared_DATA = \
	web/shared/api.js \
	web/shared/i18n.js \
	web/shared/icon.svg \
	web/shared/theme.css \
	web/shared/theme.js
