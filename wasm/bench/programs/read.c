// read FILE [ROUNDS] reads a file 8 or so many times, 4 KiB at a time.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
	static char chunk[4096];
	unsigned long long total = 0;
	int rounds = argc > 2 ? atoi(argv[2]) : 8;
	for (int round = 0; round < rounds; round++) {
		int fd = open(argc > 1 ? argv[1] : "", O_RDONLY);
		ssize_t n;
		while ((n = read(fd, chunk, sizeof chunk)) > 0) {
			total += (unsigned long long)n;
		}
		if (n < 0 || close(fd) != 0) {
			perror("read");
			return 1;
		}
	}
	printf("%llu\n", total);
	return 0;
}
