/* PCI as a bus of the device tree. Thread context. */
#include <rayos/fmt.h>
#include <rayos/log.h>

#include "pci_internal.h"

static bool id_matches(const struct pci_device *p, const struct pci_id *id)
{
    return (id->vendor == PCI_ANY || id->vendor == p->vendor) &&
           (id->device == PCI_ANY || id->device == p->device) &&
           ((p->class_code ^ id->class_code) & id->class_mask) == 0;
}

static bool bus_match(const struct device *d, const struct driver *drv)
{
    const struct pci_device *p = container_of(d, const struct pci_device, dev);

    for (const struct pci_id *id = drv->ids;
         id->vendor || id->device || id->class_code || id->class_mask; id++)
        if (id_matches(p, id))
            return true;
    return false;
}

static void describe_bar(const struct pci_device *p, unsigned i,
                         struct device_report *r)
{
    const struct pci_bar *b = &p->bar[i];
    char name[8], text[64];

    if (b->kind == PCI_BAR_NONE)
        return;
    fmt_snprintf(name, sizeof(name), "bar%u", i);
    fmt_snprintf(text, sizeof(text), "%s %#lx, %#lx bytes%s%s%s",
                 b->kind == PCI_BAR_IO ? "ports" : "memory", b->base, b->size,
                 b->wide ? ", 64 bit" : "",
                 b->prefetchable ? ", prefetchable" : "",
                 b->usable ? "" : ", unusable");
    device_report_text(r, name, text);
}

static const char *const irq_names[] = {
    [PCI_IRQ_MSIX] = "MSI-X",
    [PCI_IRQ_MSI] = "MSI",
    [PCI_IRQ_INTX] = "INTx",
};

static void bus_describe(const struct device *d, struct device_report *r)
{
    const struct pci_device *p = container_of(d, const struct pci_device, dev);

    device_report_hex(r, "vendor", p->vendor);
    device_report_hex(r, "device", p->device);
    device_report_hex(r, "class", p->class_code);
    device_report_number(r, "revision", p->revision);
    if (p->subsystem_vendor || p->subsystem) {
        device_report_hex(r, "subsystem_vendor", p->subsystem_vendor);
        device_report_hex(r, "subsystem", p->subsystem);
    }
    if (p->irq_pin) {
        device_report_number(r, "irq_pin", p->irq_pin);
        device_report_number(r, "irq_line", p->irq_line);
    }
    if (p->header_type == PCI_HEADER_BRIDGE)
        device_report_number(r, "secondary_bus", p->secondary_bus);
    for (unsigned i = 0; i < PCI_BARS; i++)
        describe_bar(p, i, r);
    if (p->irq)
        device_report_text(r, "irq", irq_names[pci_irq_kind(p)]);
}

void pci_quiesce(struct device *d)
{
    struct pci_device *p = pci_device_of(d);

    pci_disable(p, PCI_ENABLE_MASTER);
    if (!p->irq)
        return;
    log_warn("pci", "%s: its driver left interrupts behind", d->name);
    pci_irq_free(p);
}

const struct bus pci_bus = {
    .name = "pci",
    .match = bus_match,
    .describe = bus_describe,
    .quiesce = pci_quiesce,
};
