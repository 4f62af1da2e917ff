/*
 * capture.h - what a function prints, as text.
 */
#ifndef SUPPORT_CAPTURE_H
#define SUPPORT_CAPTURE_H

/*
 * From now on standard output and standard error go into files of nobody's,
 * until capture_end().
 */
void capture_begin(void);

/*
 * Both streams as they were; what was printed meanwhile, cut at 64 KiB, stays
 * readable until the next capture_begin().
 */
void capture_end(void);
const char *capture_out(void);
const char *capture_err(void);

#endif /* SUPPORT_CAPTURE_H */
