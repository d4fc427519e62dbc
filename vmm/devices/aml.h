/*
 * A writer of the little ACPI Machine Language that a DSDT of ours needs (ACPI
 * 6.4 chapter 20). Pure. A buffer that is too small is remembered in
 * `overflow`; nothing is written past its end.
 */
#ifndef VMM_DEVICES_AML_H
#define VMM_DEVICES_AML_H

#include <rayos/types.h>

struct aml {
    uint8_t *data;
    size_t size, used;
    bool overflow;
};

void aml_byte(struct aml *a, uint8_t v);
void aml_u16(struct aml *a, uint16_t v);
void aml_u32(struct aml *a, uint32_t v);

/* A thing with a length; the mark that `begin` gives is for its `end`. */
size_t aml_begin_scope(struct aml *a, const char *name); /* "\\_SB_" */
size_t aml_begin_device(struct aml *a, const char name[4]);
void aml_end(struct aml *a, size_t mark);

/* Name (name, ...) of four characters, perhaps after a backslash. */
void aml_name_integer(struct aml *a, const char *name, uint32_t v);
void aml_name_string(struct aml *a, const char *name, const char *text);
void aml_name_eisa(struct aml *a, const char *name, const char id[7]);
void aml_name_package(struct aml *a, const char *name, const uint8_t *bytes,
                      unsigned count);

/* Name (_CRS, ResourceTemplate () { ... }), ACPI 6.4 6.4.2 and 6.4.3. */
size_t aml_begin_resources(struct aml *a);
void aml_resource_memory32(struct aml *a, uint32_t base, uint32_t length);
void aml_resource_interrupt(struct aml *a, uint32_t gsi); /* level, high */
void aml_resource_io(struct aml *a, uint16_t base, uint8_t length);
void aml_resource_irq(struct aml *a, unsigned line); /* edge, high */
void aml_end_resources(struct aml *a, size_t mark);

#endif
