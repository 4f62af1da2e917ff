// app.cc - an application in C++: the headers are C++, too.
#include <clusterbus/clusterbus.h>

#include <string>

namespace {

struct cbus *the_bus;

int
on_data(void *, const void *data, size_t len, const struct cbus_info *info)
{
	std::string text(static_cast<const char *>(data), len);

	text = "[" + text + ",\"" + info->name + "\"]";
	return cbus_distribute(the_bus, "heard", text.data(), text.size(),
	    nullptr);
}

int
start(struct cbus *bus, void **ret_arg)
{
	struct cbus_sub *sub = nullptr;

	the_bus = bus;
	*ret_arg = nullptr;
	return cbus_subscribe(bus, "news", on_data, nullptr, &sub);
}

} // namespace

const struct cbus_app cbus_app = { CBUS_APP_VERSION, "cxx", start, nullptr,
	nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr };
