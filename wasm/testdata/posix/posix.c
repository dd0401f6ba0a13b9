// posix ROOT does to files below ROOT what programs do, and prints what came of it, which is the same on every POSIX
// system: want.txt is what Linux gives. Built with
//   node ../../../examples/toolchain/cc.mjs posix.c posix.wasm -D_GNU_SOURCE -Wno-gnu-statement-expression

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *root;

// at is the path of a name below the root; four of them live at a time.
static const char *at(const char *name) {
	static char paths[4][256];
	static int turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", root, name);
	return path;
}

static const char *reason(void) {
	switch (errno) {
	case EBADF: return "EBADF";
	case EEXIST: return "EEXIST";
	case EINVAL: return "EINVAL";
	case EISDIR: return "EISDIR";
	case ENOENT: return "ENOENT";
	case ENOTDIR: return "ENOTDIR";
	case ENOTEMPTY: return "ENOTEMPTY";
	case ESPIPE: return "ESPIPE";
	case ENAMETOOLONG: return "ENAMETOOLONG";
	default: return strerror(errno);
	}
}

static void say(const char *what, long long result) {
	if (result < 0) {
		printf("%s: %s\n", what, reason());
	} else {
		printf("%s: %lld\n", what, result);
	}
}

#define SAY(call) say(#call, (long long)(call))
// OK is for calls whose result is a descriptor, which need not be the same.
#define OK(call) say(#call, (long long)(call) < 0 ? -1 : 0)

static void show(const char *name) {
	char text[256];
	int fd = open(at(name), O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text);
	printf("%s holds", name);
	if (n < 0) {
		printf(" nothing: %s", reason());
	}
	for (ssize_t i = 0; i < n; i++) {
		printf(text[i] >= ' ' ? " %c" : " %d", text[i]);
	}
	printf("\n");
	if (fd >= 0) {
		close(fd);
	}
}

static void opening(void) {
	int fd;
	SAY(open(at("none"), O_RDONLY));
	SAY(open(at("none/below"), O_RDWR | O_CREAT, 0644));
	OK(fd = open(at("a"), O_RDWR | O_CREAT | O_EXCL, 0644));
	SAY(write(fd, "abcdef", 6));
	SAY(open(at("a"), O_RDWR | O_CREAT | O_EXCL, 0644));
	SAY(open(at("a/below"), O_RDONLY));
	SAY(open(at("a"), O_RDONLY | O_DIRECTORY));
	SAY(open(root, O_WRONLY));
	SAY(close(fd));
	SAY(close(fd));
	SAY(write(fd, "x", 1));
	OK(fd = open(at("a"), O_RDONLY));
	SAY(write(fd, "x", 1));
	SAY(ftruncate(fd, 1));
	SAY(close(fd));
	OK(fd = open(at("a"), O_WRONLY));
	char c;
	SAY(read(fd, &c, 1));
	SAY(close(fd));
	OK(fd = open(at("./sub/../a"), O_RDONLY));
	OK(fd = open(at("a/"), O_RDONLY));
	show("a");
	OK(fd = open(at("a"), O_WRONLY | O_TRUNC));
	SAY(close(fd));
	show("a");
}

static void moving(void) {
	char text[16] = "";
	int fd;
	OK(fd = open(at("s"), O_RDWR | O_CREAT, 0644));
	SAY(lseek(fd, 4, SEEK_SET));
	SAY(write(fd, "56", 2));
	SAY(lseek(fd, -1, SEEK_END));
	SAY(read(fd, text, sizeof text));
	SAY(read(fd, text, sizeof text));
	SAY(lseek(fd, -100, SEEK_CUR));
	SAY(lseek(fd, 0, SEEK_CUR));
	SAY(lseek(fd, 1, 77));
	SAY(pwrite(fd, "x", 1, 2));
	SAY(pread(fd, text, 3, 1));
	SAY(pread(fd, text, 3, 100));
	SAY(pread(fd, text, 3, -1));
	SAY(lseek(fd, 0, SEEK_CUR));
	struct iovec parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
	SAY(writev(fd, parts, 3));
	show("s");
	SAY(ftruncate(fd, 3));
	SAY(lseek(fd, 0, SEEK_END));
	SAY(ftruncate(fd, 5));
	show("s");
	SAY(ftruncate(fd, -1));
	SAY(posix_fallocate(fd, 0, 8));
	struct stat st;
	SAY(fstat(fd, &st));
	printf("size %lld regular %d\n", (long long)st.st_size, S_ISREG(st.st_mode) != 0);
	SAY(fsync(fd));
	SAY(fdatasync(fd));
	SAY(close(fd));
}

static void appending(void) {
	int fd, other;
	OK(fd = open(at("log"), O_WRONLY | O_CREAT | O_APPEND, 0644));
	OK(other = open(at("log"), O_WRONLY));
	SAY(write(fd, "one", 3));
	SAY(write(other, "TW", 2));
	SAY(lseek(fd, 0, SEEK_SET));
	SAY(write(fd, "3", 1));
	SAY(fcntl(fd, F_GETFL) & O_APPEND ? 1 : 0);
	SAY(fcntl(other, F_SETFL, O_APPEND));
	SAY(write(other, "4", 1));
	show("log");
	close(fd);
	close(other);
}

static void naming(void) {
	char text[8] = "";
	int fd;
	SAY(mkdir(at("d"), 0755));
	SAY(mkdir(at("d"), 0755));
	SAY(mkdir(at("d/e"), 0755));
	SAY(mkdir(at("x/y"), 0755));
	OK(fd = open(at("d/f"), O_RDWR | O_CREAT, 0644));
	SAY(write(fd, "kept", 4));
	SAY(rmdir(at("d")));
	SAY(rmdir(at("d/f")));
	SAY(unlink(at("d/e")));
	SAY(unlink(at("d/none")));
	SAY(rename(at("d"), at("d/e/inside")));
	SAY(rename(at("d/f"), at("d/e")));
	SAY(rename(at("d/e"), at("d/f")));
	SAY(rename(at("d/none"), at("d/g")));
	SAY(rename(at("d/f"), at("d/f")));
	SAY(rename(at("d/f"), at("a")));
	show("a");
	SAY(unlink(at("a")));
	show("a");
	SAY(pread(fd, text, 4, 0)); // gone from the directory, not from us
	printf("%s\n", text);
	SAY(write(fd, "!", 1));
	SAY(close(fd));
	SAY(rename(at("d/e"), at("d2")));
	SAY(rename(at("d2"), at("d")));
	SAY(access(at("d"), F_OK));
	SAY(access(at("d2"), F_OK));
	SAY(rmdir(at("d")));
	SAY(rmdir(at("d")));
	char longest[300];
	memset(longest, 'n', sizeof longest);
	longest[sizeof longest - 1] = 0;
	SAY(mkdir(at(longest), 0755) < 0 && errno == ENOENT ? 0 : -1);
}

static void listing(void) {
	char name[300];
	mkdir(at("many"), 0755);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof name, "many/%0*d", 1 + i % 20, i);
		close(open(at(name), O_WRONLY | O_CREAT, 0644));
	}
	DIR *d = opendir(at("many"));
	int dots = 0, files = 0;
	unsigned sum = 0;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
			dots++;
			continue;
		}
		files++;
		for (const char *p = e->d_name; *p; p++) {
			sum += (unsigned char)*p;
		}
		snprintf(name, sizeof name, "many/%s", e->d_name);
		unlink(at(name)); // while reading, as rm does
	}
	rewinddir(d);
	int left = 0;
	while (readdir(d) != NULL) {
		left++;
	}
	closedir(d);
	printf("%d dots, %d files, names add up to %u, then %d\n", dots, files, sum, left);
	SAY(rmdir(at("many")));
	OK(opendir(at("log")) == NULL ? -1 : 0);
}

static void waiting(void) {
	struct timespec before, after, nap = {0, 2000000};
	SAY(clock_gettime(CLOCK_MONOTONIC, &before));
	SAY(nanosleep(&nap, NULL));
	SAY(clock_gettime(CLOCK_MONOTONIC, &after));
	long long slept = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
	printf("slept long enough: %d\n", slept >= nap.tv_nsec);
	SAY(clock_gettime((clockid_t)0, &before));
	struct pollfd p = {.fd = open(at("log"), O_RDONLY), .events = POLLIN};
	SAY(poll(&p, 1, 1000));
	printf("readable: %d\n", (p.revents & POLLIN) != 0);
	SAY(lseek(p.fd, 0, SEEK_END));
	SAY(close(p.fd));
	char a[16] = "", b[16] = "";
	SAY(getentropy(a, sizeof a));
	SAY(getentropy(b, sizeof b));
	printf("random differs: %d\n", memcmp(a, b, sizeof a) != 0);
}

int main(int argc, char **argv) {
	root = argc > 1 ? argv[1] : ".";
	mkdir(at("sub"), 0755);
	opening();
	moving();
	appending();
	naming();
	listing();
	waiting();
	return 0;
}
