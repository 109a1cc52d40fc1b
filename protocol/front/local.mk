# protocol/front: what all fronts share below the registry.
noinst_LIBRARIES += protocol/front/libwindow.a

protocol_front_libwindow_a_SOURCES = protocol/front/window.c protocol/front/window.h
