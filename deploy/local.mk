# deploy: what this directory adds to the build (lists are declared in the top Makefile.am).

# Set-up scripts, package lists, units and the demo image: used from the source tree.
EXTRA_DIST += \
	deploy/check \
	deploy/down \
	deploy/image/art/wallpaper.svg \
	deploy/image/build \
	deploy/image/layer/etc/gtk-2.0/gtkrc \
	deploy/image/layer/etc/gtk-3.0/settings.ini \
	deploy/image/layer/etc/skel/.bashrc \
	deploy/image/layer/etc/skel/.config/pcmanfm/puesto/desktop-items-0.conf \
	deploy/image/layer/etc/skel/.config/user-dirs.dirs \
	deploy/image/layer/etc/skel/.templates/.keep \
	deploy/image/layer/etc/skel/Desktop/editor.desktop \
	deploy/image/layer/etc/skel/Desktop/files.desktop \
	deploy/image/layer/etc/skel/Desktop/terminal.desktop \
	deploy/image/layer/etc/xdg/libfm/libfm.conf \
	deploy/image/layer/etc/xdg/openbox/menu.xml \
	deploy/image/layer/etc/xdg/pcmanfm/puesto/pcmanfm.conf \
	deploy/image/layer/etc/xdg/tint2/tint2rc \
	deploy/image/layer/usr/share/applications/puesto-editor.desktop \
	deploy/image/layer/usr/share/applications/puesto-files.desktop \
	deploy/image/layer/usr/share/applications/puesto-logoff.desktop \
	deploy/image/layer/usr/share/applications/puesto-menu.desktop \
	deploy/image/layer/usr/share/applications/puesto-terminal.desktop \
	deploy/image/layer/usr/share/icons/hicolor/scalable/apps/puesto-editor.svg \
	deploy/image/layer/usr/share/icons/hicolor/scalable/apps/puesto-files.svg \
	deploy/image/layer/usr/share/icons/hicolor/scalable/apps/puesto-logoff.svg \
	deploy/image/layer/usr/share/icons/hicolor/scalable/apps/puesto-menu.svg \
	deploy/image/layer/usr/share/icons/hicolor/scalable/apps/puesto-terminal.svg \
	deploy/image/layer/usr/share/puesto/Xresources \
	deploy/image/layer/usr/share/puesto/menu \
	deploy/image/layer/usr/share/puesto/wallpaper.png \
	deploy/image/layer/usr/share/themes/Puesto/openbox-3/close.xbm \
	deploy/image/layer/usr/share/themes/Puesto/openbox-3/iconify.xbm \
	deploy/image/layer/usr/share/themes/Puesto/openbox-3/max.xbm \
	deploy/image/layer/usr/share/themes/Puesto/openbox-3/max_toggled.xbm \
	deploy/image/layer/usr/share/themes/Puesto/openbox-3/themerc \
	deploy/image/templates/openbox.xml \
	deploy/lib/build.sh \
	deploy/lib/configure.sh \
	deploy/lib/packages.sh \
	deploy/lib/say.sh \
	deploy/lib/services.sh \
	deploy/lib/setup.sh \
	deploy/packages/bench \
	deploy/packages/build \
	deploy/packages/desktop \
	deploy/packages/test \
	deploy/samples/broker.conf \
	deploy/samples/gateway.conf \
	deploy/samples/provisioner.conf \
	deploy/systemd/puesto-broker.service \
	deploy/systemd/puesto-gateway.service \
	deploy/systemd/puesto-provisioner.service \
	deploy/up
