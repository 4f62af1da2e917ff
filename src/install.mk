# The libraries, and what `make install` puts where; included by the Makefile.

# ---- libclusterbus: all that a node needs, without the primary and busctl
VERSION  := $(shell sed -n 's/^.define CLUSTERBUS_VERSION "\(.*\)"/\1/p' \
	    include/clusterbus/version.h)
SONAME   = libclusterbus.so.0
LIBRARY  = $(B)/libclusterbus.so.$(VERSION)
HEADERS  = $(wildcard include/clusterbus/*.h)
LIB_OBJS = $(filter-out $(B)/primary/% $(B)/src/cli/%,$(OBJS))

libs: $(LIBRARY) $(B)/libclusterbus.a $(B)/clusterbus.pc

$(LIBRARY): $(LIB_OBJS)
	$(CC) -shared -Wl,-soname,$(SONAME) $(filter-out -pie,$(LDHARDEN)) \
	    $(if $(LDOPT),$(LDOPT),-Wl,-z,defs) $(LDFLAGS) -o $@ $^ $(LIBS)
	ln -sf $(notdir $@) $(B)/$(SONAME)
	ln -sf $(SONAME) $(B)/libclusterbus.so

# One object, so that what is not public cannot collide with a user's names.
# (What libwebsockets shall call is public: worker/ws_offer.c, ws_libc.c.)
$(B)/libclusterbus.a: $(LIB_OBJS)
	$(CC) -r -nostdlib -o $(B)/clusterbus.o $^
	objcopy -w --keep-global-symbol='cbus_*' \
	    --keep-global-symbol=lws_hdr_copy --keep-global-symbol=recv \
	    --keep-global-symbol=send --keep-global-symbol=shutdown \
	    $(B)/clusterbus.o
	rm -f $@ && ar rcs $@ $(B)/clusterbus.o

# Made every time: PREFIX may be another one.
$(B)/clusterbus.pc:
	@mkdir -p $(@D)
	printf '%s\n' 'prefix=$(PREFIX)' 'includedir=$${prefix}/include' \
	    'libdir=$${prefix}/lib' '' 'Name: clusterbus' \
	    'Description: cluster event bus for WebSocket applications' \
	    'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
	    'Libs: -L$${libdir} -lclusterbus' \
	    'Libs.private: $(LIBS) $(LDOPT)' > $@

# ---- installing: the name that is ours, and busctl beside it
BIN  = $(DESTDIR)$(PREFIX)/bin
MAN  = $(DESTDIR)$(PREFIX)/share/man/man8/clusterbus.8
BASH = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/clusterbus
LIB  = $(DESTDIR)$(PREFIX)/lib
INC  = $(DESTDIR)$(PREFIX)/include/clusterbus
install: all libs
	install -D -m 755 $(B)/busctl $(BIN)/clusterbus
	@if [ -e $(BIN)/busctl ] && [ ! -L $(BIN)/busctl ]; then \
	    echo "note: $(BIN)/busctl is not ours and stays; use clusterbus"; \
	else ln -sfv clusterbus $(BIN)/busctl; fi
	mkdir -p $(dir $(BASH) $(MAN))
	@[ ! -L $(BIN)/busctl ] || ln -sf clusterbus $(dir $(BASH))busctl
	$(B)/busctl completion bash > $(BASH)
	$(B)/busctl help --man > $(MAN)
	install -D -m 644 -t $(INC) $(HEADERS)
	install -D -m 644 -t $(LIB) $(LIBRARY) $(B)/libclusterbus.a
	install -D -m 644 -t $(LIB)/pkgconfig $(B)/clusterbus.pc
	ln -sf $(notdir $(LIBRARY)) $(LIB)/$(SONAME)
	ln -sf $(SONAME) $(LIB)/libclusterbus.so
	$(if $(DRIVER_SO),install -D -m 644 -t $(LIB)/clusterbus $(DRIVER_SO))
	@for other in $$(which -a busctl); do \
	    [ $$other -ef $(PREFIX)/bin/clusterbus ] || \
	    echo "note: another busctl is on your PATH: $$other"; done
uninstall:
	rm -f $(BIN)/clusterbus $(BASH) $(MAN)
	[ ! -L $(BIN)/busctl ] || rm -f $(BIN)/busctl $(dir $(BASH))busctl
	rm -f $(LIB)/libclusterbus.* $(LIB)/pkgconfig/clusterbus.pc
	rm -rf $(INC) $(LIB)/clusterbus

.PHONY: libs install uninstall $(B)/clusterbus.pc
