# Drivers: shared objects that the primary loads, one for each backplane whose
# library is here; included by the Makefile.  primary/sync/driver_NAME*.c
# become clusterbus-NAME.so.

# TLS comes with hiredis 1.0 and later.
REDIS_TLS    := $(shell pkg-config --exists hiredis_ssl openssl 2>/dev/null && \
	       echo hiredis_ssl openssl)
package_redis = hiredis $(REDIS_TLS)
package_pgsql = libpq
debian_redis  = libhiredis-dev
debian_pgsql  = libpq-dev

driver_of    = $(firstword $(subst _, ,$(1)))
driver_objs  = $(patsubst %.c,$(B)/%.o,$(wildcard primary/sync/driver_$(1).c \
	       primary/sync/driver_$(1)_*.c))
DRIVERS     := $(sort $(foreach f,$(DRIVER_SRCS:primary/sync/driver_%.c=%), \
	       $(call driver_of,$(f))))
FOUND       := $(strip $(foreach d,$(DRIVERS),$(if $(package_$(d)),$(if \
	       $(shell pkg-config --exists $(package_$(d)) 2>/dev/null && \
	       echo y),$(d)))))
LACKING     := $(filter-out $(FOUND),$(DRIVERS))
DRIVER_PKGS := $(foreach d,$(FOUND),$(package_$(d)))
DRIVER_LIBS := $(if $(FOUND),$(shell pkg-config --libs $(DRIVER_PKGS)))
DRIVER_SO    = $(FOUND:%=$(B)/clusterbus-%.so)
UNITS       := $(filter-out $(LACKING:%=tests/unit/test_driver_%.c) \
	       $(LACKING:%=tests/unit/test_driver_%_%.c),$(UNITS))

drivers: $(DRIVER_SO)
	@$(if $(LACKING),$(foreach d,$(LACKING), \
	    echo "note: no driver $(d): $(debian_$(d)) is not installed";)):

$(B)/primary/sync/driver_%.o: ALL_CFLAGS += \
	$(if $(FOUND),$(patsubst -I%,-isystem %,$(shell pkg-config --cflags \
	$(DRIVER_PKGS))))
$(B)/primary/sync/driver_redis_tls.o: ALL_CFLAGS += \
	$(if $(REDIS_TLS),-DREDIS_WITH_TLS)

# What a driver needs of src/base comes along; cbus_* is in the program.
BASE_OBJS = $(patsubst %.c,$(B)/%.o,$(wildcard src/base/*.c))
$(B)/libbase.a: $(BASE_OBJS)
	rm -f $@ && ar rcs $@ $^

.SECONDEXPANSION:
$(B)/clusterbus-%.so: $$(call driver_objs,$$*) $(B)/libbase.a
	$(CC) -shared $(filter-out -pie,$(LDHARDEN)) $(LDOPT) $(LDFLAGS) \
	    -o $@ $^ $(DRIVER_LIBS) -lev -lanl -lm

# test_driver_NAME*.c see the driver's own functions.
$(B)/test_driver_%: $(B)/tests/unit/test_driver_%.o $(SUPPORT:%.c=$(B)/%.o) \
    $$(call driver_objs,$$(call driver_of,$$*)) $(B)/libfake.a $(B)/libbus.a
	$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^ $(DRIVER_LIBS) $(LIBS) -lanl \
	    -lm -lcmocka

.PHONY: drivers
