// csv FILE sums the columns of a table, read through the C library.

#include <stdio.h>

enum { COLUMNS = 8 };

int main(int argc, char **argv) {
	FILE *f = fopen(argc > 1 ? argv[1] : "", "r");
	if (f == NULL) {
		perror("csv");
		return 1;
	}
	static char chunk[1 << 16];
	unsigned long long sums[COLUMNS] = {0}, value = 0;
	size_t column = 0, rows = 0, n;
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
		for (size_t i = 0; i < n; i++) {
			char c = chunk[i];
			if (c >= '0' && c <= '9') {
				value = value * 10 + (unsigned)(c - '0');
				continue;
			}
			sums[column] += value;
			value = 0;
			column = c == ',' && column + 1 < COLUMNS ? column + 1 : 0;
			rows += c == '\n';
		}
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		printf("%llu\n", sums[i]);
	}
	printf("%zu rows\n", rows);
	return ferror(f) || fclose(f) != 0;
}
