/* Decodes the files that are named, and damaged ones made of them, the arrays no larger than they must be: for compilers that
   watch memory and undefined behaviour. Includes the reader. */

#include "png.c"
#include <sanitizer/asan_interface.h>
#include <stdio.h>

#define AHEAD 40 /* bytes behind the data that may be looked at */

static uint32_t draw(uint32_t below)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

/* Decode a file's bytes; nothing else of the room may be touched. */
static int try(const uint8_t *bytes, int32_t size, int32_t height, int32_t width)
{
    Room *room = malloc(sizeof(Room));
    uint8_t *pixels = malloc((size_t)(3 * height * width));
    const int32_t rows = (height + 1) * ((bytes[25] ? 3 : 1) * width + 1) + 7; /* a copy may be so many bytes too long */
    memcpy(room->content, bytes, (size_t)size);
    ASAN_POISON_MEMORY_REGION(room->content + size + AHEAD, sizeof room->content - (size_t)(size + AHEAD));
    ASAN_POISON_MEMORY_REGION(room->rows + rows, sizeof room->rows - (size_t)rows);
    const int channels = decode(room, size, height, width, pixels);
    ASAN_UNPOISON_MEMORY_REGION(room, sizeof *room);
    free(room), free(pixels);
    return channels;
}

int main(int count, char **paths)
{
    static uint8_t whole[MOST_BYTES], damaged[MOST_BYTES];
    int tried = 0, plain = 0;
    for (int file = 1; file < count; file++) {
        FILE *stream = fopen(paths[file], "rb");
        const int32_t all = (int32_t)fread(whole, 1, MOST_BYTES, stream);
        fclose(stream);
        const int32_t width = (int32_t)read_number(whole + 16), height = (int32_t)read_number(whole + 20);
        if (!try(whole, all, height, width)) return printf("%s is not plain\n", paths[file]), 1;
        for (int each = 0; each < 4000; each++, tried++) {
            memcpy(damaged, whole, (size_t)all);
            const int32_t from = each % 8 ? HEADER + 8 : 0; /* mostly in the compressed data */
            for (uint32_t left = 1 + draw(4); left; left--) damaged[from + (int32_t)draw((uint32_t)(all - from))] = (uint8_t)draw(256);
            plain += try(damaged, each % 5 ? all : all - (int32_t)draw((uint32_t)all), height, width) != 0;
        }
    }
    printf("%d damaged files\n", tried);
    return plain == tried;
}
