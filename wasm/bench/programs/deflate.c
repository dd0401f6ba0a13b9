// deflate FILE compresses a file in the format of RFC 1951, blocks with fixed codes, expands it again and compares.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 16 << 20, WINDOW = 1 << 15, LONGEST = 258, SHORTEST = 3, TRIES = 24, END = 256 };

static uint8_t *in, *packed, *out;
static int32_t head[1 << 15], before[WINDOW];

static const uint16_t length_base[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t distance_base[] = {1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t distance_bits[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static uint64_t bits;
static unsigned held;
static uint8_t *to;
static const uint8_t *from;

static void put(uint32_t value, unsigned n) {
	bits |= (uint64_t)value << held;
	for (held += n; held >= 8; held -= 8, bits >>= 8) {
		*to++ = (uint8_t)bits;
	}
}

static uint32_t reversed(uint32_t value, unsigned n) {
	uint32_t r = 0;
	for (; n > 0; n--, value >>= 1) {
		r = r << 1 | (value & 1);
	}
	return r;
}

static uint16_t code[288];
static uint8_t code_bits[288];

static void make_codes(void) {
	for (unsigned i = 0; i < 288; i++) {
		unsigned n = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
		unsigned c = i < 144 ? 0x30 + i : i < 256 ? 0x190 + i - 144 : i < 280 ? i - 256 : 0xc0 + i - 280;
		code[i] = (uint16_t)reversed(c, n);
		code_bits[i] = (uint8_t)n;
	}
}

static void put_symbol(unsigned s) { put(code[s], code_bits[s]); }

static void put_match(unsigned length, unsigned distance) {
	unsigned i = 28;
	while (length_base[i] > length) {
		i--;
	}
	put_symbol(257 + i);
	put(length - length_base[i], length_bits[i]);
	i = 29;
	while (distance_base[i] > distance) {
		i--;
	}
	put(reversed(i, 5), 5);
	put(distance - distance_base[i], distance_bits[i]);
}

static unsigned hash(const uint8_t *p) { return ((uint32_t)p[0] << 10 ^ (uint32_t)p[1] << 5 ^ p[2]) * 2654435761u >> 17; }

static void enter(int32_t i) {
	unsigned h = hash(in + i);
	before[i % WINDOW] = head[h];
	head[h] = i;
}

static int longest(int32_t i, int32_t n, int32_t *where) {
	int best = SHORTEST - 1, most = n - i < LONGEST ? n - i : LONGEST;
	int32_t j = head[hash(in + i)];
	for (int tries = 0; tries < TRIES && j >= 0 && i - j < WINDOW; tries++, j = before[j % WINDOW]) {
		int k = 0;
		while (k < most && in[i + k] == in[j + k]) {
			k++;
		}
		if (k > best) {
			best = k;
			*where = j;
			if (k == most) {
				break;
			}
		}
	}
	return best;
}

static size_t compress(int32_t n) {
	memset(head, -1, sizeof head);
	to = packed;
	put(1 | 1 << 1, 3); // the last block, fixed codes
	for (int32_t i = 0; i < n;) {
		int32_t where = 0;
		int length = i + SHORTEST <= n ? longest(i, n, &where) : 0;
		if (length >= SHORTEST) {
			put_match((unsigned)length, (unsigned)(i - where));
		} else {
			put_symbol(in[i]);
			length = 1;
		}
		for (; length > 0; length--, i++) {
			if (i + SHORTEST <= n) {
				enter(i);
			}
		}
	}
	put_symbol(END);
	put(0, 7);
	return (size_t)(to - packed);
}

static uint32_t get(unsigned n) {
	while (held < n) {
		bits |= (uint64_t)*from++ << held;
		held += 8;
	}
	uint32_t v = (uint32_t)(bits & ((1u << n) - 1));
	bits >>= n;
	held -= n;
	return v;
}

static unsigned get_symbol(void) {
	uint32_t c = reversed(get(7), 7);
	if (c < 24) {
		return 256 + c;
	}
	c = c << 1 | get(1);
	if (c < 0xc0) {
		return c - 0x30;
	}
	if (c < 0xc8) {
		return 280 + c - 0xc0;
	}
	return 144 + (c << 1 | get(1)) - 0x190;
}

static size_t expand(void) {
	size_t n = 0;
	bits = held = 0;
	from = packed;
	get(3);
	for (unsigned s; (s = get_symbol()) != END && n < SIZE;) {
		if (s < END) {
			out[n++] = (uint8_t)s;
			continue;
		}
		size_t length = length_base[s - 257] + get(length_bits[s - 257]);
		unsigned d = reversed(get(5), 5);
		size_t distance = distance_base[d] + get(distance_bits[d]);
		for (; length > 0; length--, n++) {
			out[n] = out[n - distance];
		}
	}
	return n;
}

int main(int argc, char **argv) {
	FILE *f = fopen(argc > 1 ? argv[1] : "", "r");
	in = malloc(SIZE), packed = malloc(2 * SIZE), out = malloc(SIZE + LONGEST);
	if (f == NULL || in == NULL || packed == NULL || out == NULL) {
		perror("deflate");
		return 1;
	}
	size_t n = fread(in, 1, SIZE / 2, f);
	fclose(f);
	make_codes();
	size_t small = compress((int32_t)n);
	if (expand() != n || memcmp(in, out, n) != 0) {
		printf("expanded to something else\n");
		return 1;
	}
	uint32_t sum = 0;
	for (size_t i = 0; i < small; i++) {
		sum = sum * 31 + packed[i];
	}
	printf("%zu to %zu bytes, %u\n", n, small, (unsigned)sum);
	return 0;
}
