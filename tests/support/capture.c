/* capture.c - see capture.h. */
#include "capture.h"

#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	CAPTURE_MAX = 65536
};

/* A stream, what it was before, and where it goes. */
struct stream {
	int fd;
	int before;
	int file;
	char text[CAPTURE_MAX + 1];
};

static struct stream out = { .fd = STDOUT_FILENO };
static struct stream err = { .fd = STDERR_FILENO };

static void
begin(struct stream *stream)
{
	stream->before = dup(stream->fd);
	stream->file = memfd_create("captured", 0);
	assert(stream->before != -1 && stream->file != -1);
	assert(dup2(stream->file, stream->fd) != -1);
}

static void
end(struct stream *stream)
{
	ssize_t n;

	assert(dup2(stream->before, stream->fd) != -1);
	n = pread(stream->file, stream->text, CAPTURE_MAX, 0);
	assert(n >= 0);
	stream->text[n] = '\0';
	(void)close(stream->before);
	(void)close(stream->file);
}

void
capture_begin(void)
{
	(void)fflush(stdout); /* what was printed before goes its old way */
	begin(&out);
	begin(&err);
}

void
capture_end(void)
{
	(void)fflush(stdout); /* a full memory file would show in the text */
	end(&out);
	end(&err);
}

const char *
capture_out(void)
{
	return out.text;
}

const char *
capture_err(void)
{
	return err.text;
}
