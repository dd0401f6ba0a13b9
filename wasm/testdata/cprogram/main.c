// Exercises the host the way wasi-libc does. Built with
//   clang --target=wasm32-wasi -Os -s -o main.wasm main.c
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void list(const char *path) {
	DIR *d = opendir(path);
	if (!d) {
		printf("opendir %s: %s\n", path, strerror(errno));
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		printf("%s/%s %s\n", path, e->d_name, e->d_type == DT_DIR ? "directory" : "file");
	closedir(d);
}

static void copy(const char *from, const char *to) {
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	if (!in || !out) {
		printf("copy %s %s: %s\n", from, to, strerror(errno));
		exit(1);
	}
	for (int c; (c = getc(in)) != EOF;)
		putc(c + 1, out);
	fclose(in);
	printf("copied %ld bytes\n", ftell(out));
	fclose(out);
}

int main(int argc, char **argv) {
	for (int i = 0; i < argc; i++)
		printf("argv[%d]=%s\n", i, argv[i]);
	printf("HOME=%s\n", getenv("HOME"));
	list("/inputs");
	list("/inputs/sub");
	list("/nowhere");
	mkdir("/outputs/dir", 0755);
	copy("/inputs/text", "/outputs/dir/text");
	rename("/outputs/dir/text", "/outputs/moved");
	rmdir("/outputs/dir");
	list("/outputs");
	struct stat st;
	printf("stat %d size %lld\n", stat("/outputs/moved", &st), (long long)st.st_size);
	printf("write input: %d %s\n", open("/inputs/text", O_WRONLY), strerror(errno));
	printf("unlink input: %d %s\n", unlink("/inputs/text"), strerror(errno));
	int fd = open("/outputs/moved", O_RDWR);
	char b[4] = "";
	printf("seek %lld read %zd", (long long)lseek(fd, -3, SEEK_END), read(fd, b, 3));
	printf(" %s truncate %d\n", b, ftruncate(fd, 2));
	close(fd);
	time_t t = time(NULL);
	printf("year %d\n", 1900 + gmtime(&t)->tm_year);
	printf("sin %.15g sqrt %g nan %g\n", sin(argc), sqrt(-argc), 0.0 / (argc - argc));
	unsigned char r[8];
	getentropy(r, sizeof r);
	for (int i = 0; i < 8; i++)
		printf("%02x", r[i]);
	printf("\n");
	fprintf(stderr, "isatty %d\n", isatty(1));
	return 4;
}
