/* The command line that the loader makes of \rayos\boot.cfg and of its load
 * options. Pure. */
#ifndef BOOT_OPTIONS_H
#define BOOT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Append the text of boot.cfg to `cmdline` (NUL terminated, room for `max`
 * bytes): lines joined by a blank, `#` at the start of a line or after a blank
 * begins a comment unless it is in double quotes. 0; -EINVAL: line *line holds
 * a control character or a quote that is not closed; -E2BIG: no room.
 */
int options_add_file(char *cmdline, size_t max, const char *text, size_t size,
                     unsigned *line);

/*
 * Append load options, UTF-16 text of `bytes` bytes or up to a NUL. A first
 * word that ends in ".efi" is the image's own name, which the UEFI shell puts
 * there: dropped. 0; -EILSEQ: not printable ASCII (some firmware passes binary
 * data), nothing added; -EINVAL: a quote is not closed, nothing added; -E2BIG.
 */
int options_add_utf16(char *cmdline, size_t max, const void *options,
                      size_t bytes);

/*
 * The last word `name` (value "") or `name=value` of the command line, without
 * double quotes, cut to `size` - 1 bytes. false: it is not there.
 */
bool options_get(const char *cmdline, const char *name, char *value,
                 size_t size);

#endif
