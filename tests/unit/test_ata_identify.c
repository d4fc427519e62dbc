/* sources: drivers/ata/identify.c */
#include "check.h"

#include <errno.h>

#include "drivers/ata/ata.h"

static uint16_t words[ATA_IDENTIFY_WORDS];
static struct ata_identity id;

static void typical(void)
{
    static const char serial[] = "  1\0QA B0 C\x7f        ";

    memset(words, 0, sizeof(words));
    for (size_t i = 0; i < 20; i++)
        words[10 + i / 2] |= (uint16_t)((uint8_t)serial[i] << (i % 2 ? 0 : 8));
    words[49] = 0x0300;
    words[60] = 0x2345;
    words[61] = 0x0001;
    words[83] = 0x5400;
    words[100] = 0x1111;
    words[101] = 0x2222;
    words[102] = 0x3;
}

TEST(a_disk)
{
    typical();
    CHECK_EQ(ata_identify_parse(words, &id), 0);
    CHECK_EQ(id.sectors, 0x322221111);
    CHECK(id.lba48 && id.can_flush);
    CHECK_STR(id.serial, "1QA B0 C?");
    words[83] = 0x5000; /* an old one */
    CHECK_EQ(ata_identify_parse(words, &id), 0);
    CHECK_EQ(id.sectors, 0x12345);
    CHECK(!id.lba48 && id.can_flush);
    words[83] = 0x1400; /* these words say nothing */
    CHECK_EQ(ata_identify_parse(words, &id), 0);
    CHECK(!id.lba48 && !id.can_flush);
    words[106] = 0x6000; /* physical sectors may be larger */
    CHECK_EQ(ata_identify_parse(words, &id), 0);
}

TEST(what_cannot_be_used)
{
    static const struct {
        int word;
        uint16_t value;
    } faults[] = {
        {0, 0x8580}, {49, 0x0200}, {49, 0x0100}, {106, 0x5000}, {103, 2}};

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        typical();
        words[faults[i].word] = faults[i].value;
        CHECK_EQ(ata_identify_parse(words, &id), -ENOTSUP);
    }
    typical();
    words[100] = words[101] = words[102] = 0;
    CHECK_EQ(ata_identify_parse(words, &id), -ENOTSUP);
}

CHECK_MAIN
