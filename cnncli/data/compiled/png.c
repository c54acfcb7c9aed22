/* Plain small PNG files of one size, read and decoded: what cnncli/data/plain_png.py does in Python, to the same rules.

       file ──▶ chunks ──▶ data, joined ──▶ inflate ──▶ rows, each after its filter ──▶ pixels in planes

   Whatever is odd about a file, wherever it shows, the answer is "not plain", and Pillow's reader decides. So nothing is
   lost by being stricter than the formats are (every code must be complete), and only what must be right is checked: the
   bounds, what Pillow checks, and that the compressed data ends where the file says, with the sum it says.

   The formats are PNG's, zlib's (RFC 1950) and deflate's (RFC 1951). */

#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define INLINE static inline __attribute__((always_inline))

#define MOST_BYTES (1 << 16)  /* of a file */
#define MOST_PIXELS (1 << 16)
#define SLACK 512             /* bytes after an array that may be read or written without harm */
#define HEADER 33             /* bytes of the signature and the first chunk */
#define FRAME 12              /* bytes of a chunk beside its content: length, name, check sum */

/* ---- Huffman codes ---------------------------------------------------------------------------------------------------- */

#define QUICK 9           /* bits of a code that is found with one look */
#define LONGEST 15
#define MOST_SYMBOLS 288

typedef struct {
    uint16_t quick[1 << QUICK];     /* by the next bits: symbol << 4 | length; 0 for the longer ones */
    uint16_t symbols[MOST_SYMBOLS]; /* those without a code, then in the order of the codes */
    int32_t end[LONGEST + 1];       /* by length, one more than the last code */
    int32_t place[LONGEST + 1];     /* by length, what leads from a code to its place in `symbols` */
} Code;

typedef struct {
    uint8_t content[MOST_BYTES + SLACK];
    uint8_t rows[7 * MOST_PIXELS + SLACK]; /* a row of zeros, then the image's: at most 3 bytes a pixel, and one a row */
    Code literals, distances;
} Room;

INLINE uint32_t reverse16(uint32_t bits)
{
    bits = (bits & 0x5555) << 1 | (bits >> 1 & 0x5555);
    bits = (bits & 0x3333) << 2 | (bits >> 2 & 0x3333);
    bits = (bits & 0x0f0f) << 4 | (bits >> 4 & 0x0f0f);
    return (bits & 0x00ff) << 8 | bits >> 8;
}

/* The code that follows from the lengths, if it is complete. */
static int make_code(Code *code, const uint8_t *lengths, int symbols)
{
    int32_t counts[LONGEST + 1] = {0}, next[LONGEST + 1], first = 0;
    for (int symbol = 0; symbol < symbols; symbol++) counts[lengths[symbol]]++;
    next[0] = 0;
    for (int length = 1, before = counts[0]; length <= LONGEST; length++) {
        next[length] = before;
        first <<= 1;
        code->place[length] = before - first;
        before += counts[length];
        code->end[length] = first += counts[length];
    }
    if (first != 1 << LONGEST) return 0;
    for (int symbol = 0; symbol < symbols; symbol++) code->symbols[next[lengths[symbol]]++] = (uint16_t)symbol;
    code->quick[0] = 0;
    for (int length = 1; length <= QUICK; length++) {
        const int half = 1 << (length - 1); /* with one more bit all stands there twice */
        memcpy(code->quick + half, code->quick, (size_t)half * sizeof *code->quick);
        for (int32_t own = code->end[length] - counts[length]; own < code->end[length]; own++) {
            const uint32_t bits = reverse16((uint32_t)own) >> (16 - length);
            code->quick[bits] = (uint16_t)(code->symbols[own + code->place[length]] << 4 | length);
        }
    }
    return 1;
}

/* ---- Inflate ---------------------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *next, *end; /* of the data; SLACK lies behind */
    uint64_t held;             /* bits that were read ahead, the next one lowest */
    int count;                 /* of them */
} Bits;

/* Hold 56 bits at least. Behind the end there is something to hold too: `is_past` tells. */
INLINE void fill(Bits *bits)
{
    uint64_t more;
    memcpy(&more, bits->next, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    more = __builtin_bswap64(more);
#endif
    bits->held |= more << bits->count;
    bits->next += (63 - bits->count) >> 3;
    bits->count |= 56;
}

INLINE int is_past(const Bits *bits) { return bits->next > bits->end + 8; }

/* The next bits, at most as many as are held. */
INLINE uint32_t take(Bits *bits, int count)
{
    const uint32_t taken = (uint32_t)(bits->held & ((1ull << count) - 1));
    bits->held >>= count;
    bits->count -= count;
    return taken;
}

INLINE int take_symbol(Bits *bits, const Code *code)
{
    const int quick = code->quick[bits->held & ((1 << QUICK) - 1)];
    if (quick) {
        take(bits, quick & 15);
        return quick >> 4;
    }
    const int32_t ahead = (int32_t)reverse16((uint32_t)(bits->held & 0xffff));
    int length = QUICK + 1;
    while (ahead >> (16 - length) >= code->end[length]) length++; /* ends at LONGEST: the code is complete */
    take(bits, length);
    return code->symbols[(ahead >> (16 - length)) + code->place[length]];
}

/* The codes of a block that brings its own. */
static int read_codes(Bits *bits, Code *literals, Code *distances)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[286 + 30] = {0};
    fill(bits);
    const int of_literals = 257 + (int)take(bits, 5), of_distances = 1 + (int)take(bits, 5), given = 4 + (int)take(bits, 4);
    if (of_literals > 286 || of_distances > 30) return 0;
    for (int i = 0; i < given; i++) {
        fill(bits);
        lengths[order[i]] = (uint8_t)take(bits, 3);
    }
    if (!make_code(distances, lengths, 19)) return 0; /* of the lengths of both codes; its place is free until then */
    memset(lengths, 0, 19);
    for (int done = 0; done < of_literals + of_distances;) {
        fill(bits);
        if (is_past(bits)) return 0;
        const int symbol = take_symbol(bits, distances);
        if (symbol < 16) {
            lengths[done++] = (uint8_t)symbol;
            continue;
        }
        if (symbol == 16 && !done) return 0;
        const uint8_t value = symbol == 16 ? lengths[done - 1] : 0;
        const int times = symbol == 16 ? 3 + (int)take(bits, 2) : symbol == 17 ? 3 + (int)take(bits, 3) : 11 + (int)take(bits, 7);
        if (times > of_literals + of_distances - done) return 0;
        memset(lengths + done, value, (size_t)times);
        done += times;
    }
    return make_code(literals, lengths, of_literals) && make_code(distances, lengths + of_literals, of_distances);
}

static void fix_codes(Code *literals, Code *distances)
{
    uint8_t lengths[MOST_SYMBOLS];
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    make_code(literals, lengths, MOST_SYMBOLS);
    memset(lengths, 5, 32);
    make_code(distances, lengths, 32);
}

/* What a block unpacks to, from `out` on: where it ends, or NULL. Nothing lies before `first`, and no room behind `end`. */
static uint8_t *unpack_block(Bits *bits, const Code *literals, const Code *distances, const uint8_t *first, uint8_t *out,
                             const uint8_t *end)
{
    static const uint16_t lengths[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const uint8_t more_length[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    static const uint16_t ways[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                      193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
    for (;;) {
        fill(bits); /* 56 bits: a length has 20 at most, and its distance 28 */
        if (is_past(bits)) return NULL;
        const int symbol = take_symbol(bits, literals);
        if (symbol < 256) {
            if (out == end) return NULL;
            *out++ = (uint8_t)symbol;
            continue;
        }
        if (symbol == 256) return out;
        if (symbol > 285) return NULL;
        const int32_t length = lengths[symbol - 257] + (int32_t)take(bits, more_length[symbol - 257]);
        const int kind = take_symbol(bits, distances);
        if (kind > 29) return NULL;
        const int32_t way = ways[kind] + (int32_t)take(bits, kind < 4 ? 0 : (kind >> 1) - 1);
        if (way > out - first || length > end - out) return NULL;
        const uint8_t *from = out - way;
        if (way >= 8)
            for (int32_t i = 0; i < length; i += 8) memcpy(out + i, from + i, 8); /* up to 7 too many, which SLACK takes */
        else
            for (int32_t i = 0; i < length; i++) out[i] = from[i];
        out += length;
    }
}

/* A block that is stored as it is. */
static uint8_t *copy_block(Bits *bits, uint8_t *out, const uint8_t *end)
{
    bits->next -= bits->count >> 3; /* the first byte that is not begun */
    bits->held = 0, bits->count = 0;
    if (bits->end - bits->next < 4) return NULL;
    const int32_t length = bits->next[0] | bits->next[1] << 8, inverse = bits->next[2] | bits->next[3] << 8;
    bits->next += 4;
    if ((length ^ inverse) != 0xffff || length > bits->end - bits->next || length > end - out) return NULL;
    memcpy(out, bits->next, (size_t)length);
    bits->next += length;
    return out + length;
}

static uint32_t adler32(const uint8_t *bytes, int32_t count)
{
    uint32_t a = 1, b = 0;
    while (count > 0) {
        const int32_t some = count < 5552 ? count : 5552; /* so many cannot overflow */
        for (int32_t i = 0; i < some; i++) b += a += bytes[i];
        a %= 65521, b %= 65521;
        bytes += some, count -= some;
    }
    return b << 16 | a;
}

static uint32_t read_number(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Whether data, behind which SLACK lies, unpacks to so many bytes, no fewer and no more, and has nothing behind it. */
static int inflate(Room *room, uint8_t *data, int32_t size, uint8_t *first, int32_t length)
{
    if (size < 6 || (data[0] & 15) != 8 || data[0] >> 4 > 7 || (data[0] << 8 | data[1]) % 31 || data[1] & 32) return 0;
    Bits bits = {.next = data + 2, .end = data + size - 4};
    uint8_t *out = first, *end = first + length;
    for (int last = 0; !last;) {
        fill(&bits);
        if (is_past(&bits)) return 0;
        last = (int)take(&bits, 1);
        const uint32_t kind = take(&bits, 2);
        if (kind == 0) out = copy_block(&bits, out, end);
        else {
            if (kind == 1) fix_codes(&room->literals, &room->distances);
            else if (kind == 3 || !read_codes(&bits, &room->literals, &room->distances)) return 0;
            out = unpack_block(&bits, &room->literals, &room->distances, first, out, end);
        }
        if (!out) return 0;
    }
    return out == end && bits.next - (bits.count >> 3) == bits.end && adler32(first, length) == read_number(bits.end);
}

/* ---- PNG -------------------------------------------------------------------------------------------------------------- */

static uint32_t crc32(const uint8_t *bytes, int32_t count)
{
    uint32_t sum = 0xffffffff;
    for (int32_t i = 0; i < count; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (0xedb88320 & -(sum & 1));
    }
    return ~sum;
}

/* Whether a chunk, from its name on, has the check sum that stands at its end. */
static int is_whole(const uint8_t *chunk, int32_t length) { return crc32(chunk, length + 4) == read_number(chunk + 4 + length); }

static int is_one_of(const uint8_t *name, const char *names)
{
    for (; *names; names += 4)
        if (!memcmp(name, names, 4)) return 1;
    return 0;
}

/* Move the compressed pixels together, to HEADER: how many bytes they are, or 0 unless the file is whole and holds nothing
   else that has a say in them. */
static int32_t join_data(uint8_t *content, int32_t size)
{
    int32_t joined = 0;
    int begun = 0;
    for (int32_t place = HEADER; size - place >= FRAME;) {
        const uint32_t room = (uint32_t)(size - place - FRAME), length = read_number(content + place);
        const uint8_t *name = content + place + 4;
        if (length > room) return 0;
        if (!memcmp(name, "IDAT", 4)) {
            memmove(content + HEADER + joined, name + 4, length);
            joined += (int32_t)length, begun = 1;
        } else if (!memcmp(name, "IEND", 4)) {
            return length == room ? joined : 0;
        } else if (begun || !is_one_of(name, "pHYsgAMAsRGBcHRMtIME") || !is_whole(name, (int32_t)length)) {
            return 0; /* the names are those of WITHOUT_A_SAY in plain_png.py */
        }
        place += FRAME + (int32_t)length;
    }
    return 0;
}

/* The channels of a plain PNG file of this size, or 0. */
static int read_header(const uint8_t *content, int32_t size, int32_t height, int32_t width)
{
    static const uint8_t start[16] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    if (size < HEADER || memcmp(content, start, 16) || read_number(content + 16) != (uint32_t)width) return 0;
    if (read_number(content + 20) != (uint32_t)height || content[24] != 8) return 0;
    if (content[26] || content[27] || content[28] || !is_whole(content + 12, 13)) return 0; /* methods; not interlaced */
    return content[25] == 0 ? 1 : content[25] == 2 ? 3 : 0;
}

INLINE int predict(int left, int above, int corner)
{
    const int to_left = abs(above - corner), to_above = abs(left - corner), to_corner = abs(left + above - 2 * corner);
    const int other = to_above <= to_corner ? above : corner;
    return to_left <= to_above && to_left <= to_corner ? left : other;
}

/* The bytes of a row from what its filter made of them; `step` bytes a pixel. */
INLINE int undo_filter(uint8_t *row, const uint8_t *above, int32_t count, int step)
{
    const int filter = row[-1];
    if (filter > 4) return 0;
    if (filter == 2)
        for (int32_t i = 0; i < count; i++) row[i] += above[i];
    if (filter == 1)
        for (int32_t i = step; i < count; i++) row[i] += row[i - step];
    if (filter == 3) {
        for (int32_t i = 0; i < step; i++) row[i] += above[i] / 2;
        for (int32_t i = step; i < count; i++) row[i] += (row[i - step] + above[i]) / 2;
    }
    if (filter == 4) {
        for (int32_t i = 0; i < step; i++) row[i] += above[i];
        for (int32_t i = step; i < count; i++) row[i] += predict(row[i - step], above[i], above[i - step]);
    }
    return 1;
}

/* Rows of colours to planes, (3, H, W): the channels that are needed, one if all three are equal. */
static int part_colours(const uint8_t *rows, int32_t height, int32_t width, uint8_t *pixels)
{
    const int32_t plane = height * width;
    int differ = 0;
    for (int32_t y = 0, i = 0; y < height; y++, rows++)
        for (int32_t x = 0; x < width; x++, i++, rows += 3) {
            pixels[i] = rows[0], pixels[plane + i] = rows[1], pixels[2 * plane + i] = rows[2];
            differ |= (rows[0] ^ rows[1]) | (rows[0] ^ rows[2]);
        }
    return differ ? 3 : 1;
}

/* The pixels of the file of `size` bytes in room->content: how many channels they have, or 0 if it is not a plain one. */
static int decode(Room *room, int32_t size, int32_t height, int32_t width, uint8_t *pixels)
{
    const int channels = read_header(room->content, size, height, width);
    const int32_t data = channels ? join_data(room->content, size) : 0;
    const int32_t count = width * channels, row = count + 1;
    uint8_t *first = room->rows + row;
    if (!data || !inflate(room, room->content + HEADER, data, first, height * row)) return 0;
    memset(room->rows, 0, (size_t)row);
    for (int32_t y = 0; y < height; y++) {
        uint8_t *bytes = first + y * row + 1;
        if (!(channels == 1 ? undo_filter(bytes, bytes - row, count, 1) : undo_filter(bytes, bytes - row, count, 3))) return 0;
        if (channels == 1) memcpy(pixels + y * width, bytes, (size_t)width);
    }
    return channels == 1 ? 1 : part_colours(first + 1, height, width, pixels);
}

/* The bytes of a regular file, at most MOST_BYTES: how many, 0 where there is none. */
static int32_t read_file(const char *path, uint8_t *content)
{
    struct stat status;
    if (stat(path, &status) || !S_ISREG(status.st_mode) || status.st_size > MOST_BYTES) return 0;
    /* A pipe that has taken the file's place meanwhile must not block. */
    const int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) return 0;
    const ssize_t size = read(descriptor, content, MOST_BYTES + 1);
    close(descriptor);
    return size < 0 || size > MOST_BYTES ? 0 : (int32_t)size;
}

/* Of each of `count` files, whose paths stand one after the other with a zero at the end of each, the pixels, and how many
   channels they have: (count, 3, H, W) and (count,); 0 channels where it is not a plain file of this size. */
EXPORT void read_pngs(const char *paths, int64_t count, int64_t height, int64_t width, uint8_t *pixels, uint8_t *channels)
{
    Room *room = malloc(sizeof(Room));
    const int fits = room && height > 0 && width > 0 && height <= MOST_PIXELS && width <= MOST_PIXELS / height;
    for (int64_t i = 0; i < count; i++, paths += strlen(paths) + 1) {
        const int32_t size = fits ? read_file(paths, room->content) : 0;
        channels[i] = size ? (uint8_t)decode(room, size, (int32_t)height, (int32_t)width, pixels + i * 3 * height * width) : 0;
    }
    free(room);
}
