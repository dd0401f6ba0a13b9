// zstd FILE compresses a file at three levels, expands it again and compares.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zstd.h"

enum { SIZE = 8 << 20 };

static char in[SIZE], packed[SIZE + SIZE / 8], out[SIZE];

int main(int argc, char **argv) {
	FILE *f = fopen(argc > 1 ? argv[1] : "", "r");
	if (f == NULL) {
		perror("zstd");
		return 1;
	}
	size_t n = fread(in, 1, sizeof in, f);
	fclose(f);
	for (int level = 1; level <= 7; level += 3) {
		size_t small = ZSTD_compress(packed, sizeof packed, in, n, level);
		if (ZSTD_isError(small) || ZSTD_decompress(out, sizeof out, packed, small) != n || memcmp(in, out, n) != 0) {
			printf("level %d failed\n", level);
			return 1;
		}
		printf("level %d: %zu bytes\n", level, small);
	}
	return 0;
}
