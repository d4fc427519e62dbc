/* sources: drivers/pci/parse.c drivers/pci/capability.c drivers/pci/window.c */
/*
 * Any bytes as the configuration space of a device or a bridge, and as what its
 * BARs answer to their sizing: whatever comes out is in bounds, every walk
 * ends, and a table of interrupts lies inside its BAR.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/pci/window.h"

#define MASKS (2 * PCI_BARS) /* what the BARs read after all ones */

struct input {
    const uint8_t *config;
    size_t size;
    unsigned reads;
};

/* More than any honest device needs: a walk that does not end is caught. */
#define READS_MAX 4096

static uint32_t read_config(const struct pci_space *s, uint16_t offset)
{
    struct input *in = (struct input *)(uintptr_t)s->arg;
    uint32_t v = UINT32_MAX;

    FUZZ_CHECK(offset % 4 == 0 && offset + 4 <= s->size);
    FUZZ_CHECK(++in->reads < READS_MAX);
    if (offset + 4u <= in->size)
        memcpy(&v, in->config + offset, 4);
    return v;
}

static void check_bar(const struct pci_bar *b)
{
    if (b->kind == PCI_BAR_NONE)
        return;
    FUZZ_CHECK(b->size && (b->size & (b->size - 1)) == 0);
    if (b->kind == PCI_BAR_IO)
        FUZZ_CHECK(!b->base || b->base + b->size <= 0x10000);
    else if (!b->wide)
        FUZZ_CHECK(b->base <= UINT32_MAX && b->size <= UINT64_C(1) << 32);
}

static void parse_bars(struct pci_device *p, const struct pci_space *s,
                       struct fuzz_input *masks)
{
    unsigned n = pci_bar_count(p->header_type), taken;

    FUZZ_CHECK(n <= PCI_BARS);
    for (unsigned i = 0; i < n; i += taken) {
        uint32_t mask, high;

        fuzz_take(masks, &mask, 4);
        fuzz_take(masks, &high, 4);
        taken = pci_parse_bar(
            pci_space_read(s, (uint16_t)(PCI_BAR0 + 4 * i), 4),
            pci_space_read(s, (uint16_t)(PCI_BAR0 + 4 * i + 4), 4), mask, high,
            i + 1 < n, &p->bar[i]);
        FUZZ_CHECK(taken == 1 || (taken == 2 && i + 1 < n));
        check_bar(&p->bar[i]);
    }
}

static void check_capabilities(const struct pci_space *s)
{
    for (unsigned id = 0; id < 256; id += 5) {
        uint16_t at = pci_walk_capabilities(s, (uint8_t)id, id % 3);

        FUZZ_CHECK(at == 0 || (at >= 0x40 && at < 0x100 && at % 4 == 0));
        ((struct input *)(uintptr_t)s->arg)->reads = 0;
    }
}

static void check_interrupts(const struct pci_device *p,
                             const struct pci_space *s)
{
    struct pci_msix msix;
    struct pci_msi msi;

    if (pci_parse_msix(s, p->bar, &msix) == 0) {
        const struct pci_bar *b = &p->bar[msix.bar];

        FUZZ_CHECK(msix.bar < PCI_BARS && b->kind == PCI_BAR_MEMORY);
        FUZZ_CHECK(msix.vectors >= 1 && msix.vectors <= 2048);
        FUZZ_CHECK(msix.offset + msix.vectors * UINT64_C(16) <= b->size);
    }
    if (pci_parse_msi(s, &msi) == 0)
        FUZZ_CHECK(msi.capability >= 0x40 && msi.capability + 10u <= 0x100);
}

/* Every BAR gets a place behind the bridge that the same bytes are, and none
 * touches another. */
static void check_places(const struct pci_device *p, const struct pci_space *s)
{
    struct pci_ranges taken = {0};
    struct pci_windows w;
    uint64_t base;

    pci_parse_windows(s, &w);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        struct pci_bar b = p->bar[i];
        struct pci_range r;

        if (b.kind == PCI_BAR_NONE || !pci_place_bar(&taken, &w, &b, &base))
            continue;
        b.base = base;
        r = pci_range_of(base, b.size);
        FUZZ_CHECK(pci_windows_pass(&w, &b) || !base);
        FUZZ_CHECK(b.wide || b.kind == PCI_BAR_IO || r.last <= UINT32_MAX);
        FUZZ_CHECK(!pci_ranges_touch(&taken, &r));
        pci_ranges_add(&taken, &r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t masks[MASKS * 4], wide = fuzz_byte(&in);
    struct input config;
    struct pci_space s;
    struct pci_device p = {0};

    fuzz_take(&in, masks, sizeof(masks));
    config = (struct input){fuzz_copy(in.at, in.left), in.left, 0};
    s = (struct pci_space){
        .read = read_config,
        .size = wide & 1 ? PCI_ECAM_SIZE : PCI_CONFIG_SIZE,
        .arg = &config,
    };
    if (pci_parse_header(&s, &p) == 0) {
        struct fuzz_input m = {masks, sizeof(masks)};

        FUZZ_CHECK(p.header_type < PCI_HEADER_MULTI && p.irq_pin <= 4);
        parse_bars(&p, &s, &m);
        check_capabilities(&s);
        check_interrupts(&p, &s);
        check_places(&p, &s);
    }
    free((void *)(uintptr_t)config.config);
    return 0;
}
