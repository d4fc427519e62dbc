/* sources: kernel/net/mac.c */
/* Addresses of network cards as text: one form, and what is wrong with others.
 */
#include "check.h"

#include <rayos/mac.h>

static void refused(const char *text, unsigned byte, const char *why)
{
    uint8_t mac[MAC_SIZE];
    unsigned at = 0;

    CHECK_STR(mac_parse(text, mac, &at), why);
    if (at != byte)
        CHECK_FAIL("%s: byte %u, not %u", text, at, byte);
}

TEST(one_form_is_taken)
{
    uint8_t mac[MAC_SIZE];
    unsigned at;

    CHECK(!mac_parse("52:00:0a:bC:Df:ff", mac, &at));
    CHECK(memcmp(mac, "\x52\x00\x0a\xbc\xdf\xff", MAC_SIZE) == 0);
    CHECK(!mac_parse("00:00:00:00:00:01", mac, &at));
}

TEST(others_are_refused_with_the_place)
{
    static const char digits[] = "is not two hexadecimal digits",
                      colon[] = "has no colon behind it",
                      end[] = "is not the end";

    refused("", 1, digits);
    refused("5", 1, digits);
    refused("5:00:00:00:00:01", 1, digits);
    refused(" 52:00:00:00:00:01", 1, digits);
    refused("+2:00:00:00:00:01", 1, digits);
    refused("0x:00:00:00:00:01", 1, digits);
    refused("52:00:-1:00:00:01", 3, digits);
    refused("52:00:0g:00:00:01", 3, digits);
    refused("52:00:00:00:00:", 6, digits);
    refused("52:00:00:00:00:/:", 6, digits);
    refused("52", 1, colon);
    refused("520000000001", 1, colon);
    refused("52:00-00:00:00:01", 2, colon);
    refused("52:00:00:00:00", 5, colon);
    refused("52:00:00:00:00:01 ", 6, end);
    refused("52:00:00:00:00:01:02", 6, end);
}

TEST(groups_and_zero_are_no_card)
{
    refused("53:00:00:00:00:01", 1, "is odd: that is a group's (multicast)");
    refused("ff:ff:ff:ff:ff:ff", 1, "is odd: that is a group's (multicast)");
    refused("00:00:00:00:00:00", 1, "and all others are zero");
}

CHECK_MAIN
