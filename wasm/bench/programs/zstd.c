// zstd FILE compresses a file at three levels, expands it again and compares.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zstd.h"

enum { SIZE = 8 << 20 };

int main(int argc, char **argv) {
	size_t room = ZSTD_compressBound(SIZE);
	char *in = malloc(SIZE), *packed = malloc(room), *out = malloc(SIZE);
	FILE *f = fopen(argc > 1 ? argv[1] : "", "r");
	if (f == NULL || in == NULL || packed == NULL || out == NULL) {
		perror("zstd");
		return 1;
	}
	size_t n = fread(in, 1, SIZE, f);
	fclose(f);
	for (int level = 1; level <= 7; level += 3) {
		size_t small = ZSTD_compress(packed, room, in, n, level);
		if (ZSTD_isError(small) || ZSTD_decompress(out, SIZE, packed, small) != n || memcmp(in, out, n) != 0) {
			printf("level %d failed\n", level);
			return 1;
		}
		printf("level %d: %zu bytes\n", level, small);
	}
	return 0;
}
