// read FILE reads a file 8 times, 4 KiB at a time.

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
	static char chunk[4096];
	unsigned long long total = 0;
	for (int round = 0; round < 8; round++) {
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
