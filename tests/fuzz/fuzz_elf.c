/* sources: kernel/boot/elf.c */
/*
 * Any bytes as the kernel's file: what the loader accepts, it can lay out in
 * the memory that it asked for.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/boot/elf.h"

#define PLACE_MAX (4u << 20) /* larger images only cost time */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *copy = fuzz_copy(data, size);
    struct elf_image image;

    if (!elf_check(copy, size, &image)) {
        FUZZ_CHECK(image.size && image.size <= ELF_IMAGE_MAX);
        FUZZ_CHECK(image.entry - UINT64_C(0xffffffff80000000) < image.size);
        if (image.size <= PLACE_MAX) {
            void *memory = malloc(image.size);

            elf_place(copy, &image, memory);
            free(memory);
        }
    }
    free(copy);
    return 0;
}
