// wordcount counts the words of every file in a directory tree.
//
//   wordcount [-i INPUTS] [-o OUTPUTS]        (default: /inputs and /outputs)
//
// It prints lines, words, bytes, distinct words and the most frequent words of
// each file and, when there are several, of all files together. OUTPUTS receives
//
//   frequencies.tsv   word <tab> count, over all files
//   files.tsv         file <tab> lines <tab> words <tab> bytes <tab> distinct words
//
// frequencies.tsv is ordered by count, highest first, then by word.
//
// A word is a run of letters; bytes of 0x80 and above count as letters, so that
// UTF-8 words stay whole, and an apostrophe does when letters surround it. ASCII
// capitals are folded. Words are told apart by their first WORD_MAX bytes, which
// bounds memory by the number of distinct words, whatever the size of a file.
//
// Exit codes: 0 done, 1 a file cannot be read or written, 2 wrong usage.

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WORD_MAX = 255, TOP = 20, READ_BYTES = 1 << 16, EXIT_USAGE = 2 };

static _Noreturn void fail(int code, const char *format, ...) {
	va_list arguments;
	va_start(arguments, format);
	fflush(stdout);
	fputs("wordcount: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(code);
}

static void *allocate(void *old, size_t count, size_t size) {
	void *p = count > SIZE_MAX / size ? NULL : realloc(old, count * size);
	if (p == NULL)
		fail(EXIT_FAILURE, "out of memory: give it more, or fewer files at once");
	return p;
}

static char *join(const char *left, const char *right) {
	size_t size = strlen(left) + strlen(right) + 2;
	char *path = allocate(NULL, size, 1);
	snprintf(path, size, "%s/%s", left, right);
	return path;
}

// ---- a table from word to count -------------------------------------------

struct entry {
	char *word; // NULL marks a free slot
	uint64_t hash;
	uint64_t count;
};

// struct table is an open-addressing hash table with linear probing, kept at
// most half full. Its capacity is zero or a power of two. {0} is an empty table.
struct table {
	struct entry *slots;
	size_t capacity;
	size_t used;
};

// hash_bytes is 64-bit FNV-1a. Chosen words can make it slow but not wrong.
static uint64_t hash_bytes(const char *bytes, size_t length) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static struct entry *table_slot(const struct table *t, const char *word, size_t length, uint64_t hash) {
	size_t mask = t->capacity - 1;
	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct entry *e = &t->slots[i];
		if (e->word == NULL)
			return e;
		if (e->hash == hash && strncmp(e->word, word, length) == 0 && e->word[length] == '\0')
			return e;
	}
}

static void table_grow(struct table *t) {
	struct table bigger = {.capacity = t->capacity == 0 ? 1024 : t->capacity * 2, .used = t->used};
	bigger.slots = allocate(NULL, bigger.capacity, sizeof *bigger.slots);
	memset(bigger.slots, 0, bigger.capacity * sizeof *bigger.slots);
	for (size_t i = 0; i < t->capacity; i++) {
		struct entry e = t->slots[i];
		if (e.word != NULL)
			*table_slot(&bigger, e.word, strlen(e.word), e.hash) = e;
	}
	free(t->slots);
	*t = bigger;
}

static void table_add(struct table *t, const char *word, size_t length, uint64_t hash, uint64_t count) {
	if (t->used >= t->capacity / 2)
		table_grow(t);
	struct entry *e = table_slot(t, word, length, hash);
	if (e->word == NULL) {
		e->word = allocate(NULL, length + 1, 1);
		memcpy(e->word, word, length);
		e->word[length] = '\0';
		e->hash = hash;
		t->used++;
	}
	e->count += count;
}

static void table_add_all(struct table *t, const struct table *from) {
	for (size_t i = 0; i < from->capacity; i++) {
		const struct entry *e = &from->slots[i];
		if (e->word != NULL)
			table_add(t, e->word, strlen(e->word), e->hash, e->count);
	}
}

static void table_free(struct table *t) {
	for (size_t i = 0; i < t->capacity; i++)
		free(t->slots[i].word);
	free(t->slots);
	*t = (struct table){0};
}

static int by_count_then_word(const void *left, const void *right) {
	const struct entry *a = left, *b = right;
	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->word, b->word);
}

// table_sorted returns the table's entries by count, highest first, then by
// word. The caller frees the array; the words stay the table's.
static struct entry *table_sorted(const struct table *t) {
	struct entry *sorted = allocate(NULL, t->used + 1, sizeof *sorted);
	size_t n = 0;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->slots[i].word != NULL)
			sorted[n++] = t->slots[i];
	qsort(sorted, n, sizeof *sorted, by_count_then_word);
	return sorted;
}

// ---- counting --------------------------------------------------------------

struct counts {
	uint64_t lines, words, bytes;
	struct table frequencies;
};

// struct scanner carries a word across the edges of read buffers.
struct scanner {
	char word[WORD_MAX];
	size_t length;
	bool apostrophe; // seen after a letter; belongs to the word if a letter follows
};

static bool is_letter(unsigned char c) {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static void scanner_push(struct scanner *s, unsigned char c) {
	if (s->length < WORD_MAX)
		s->word[s->length++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static void scanner_end_word(struct scanner *s, struct counts *c) {
	if (s->length > 0) {
		c->words++;
		table_add(&c->frequencies, s->word, s->length, hash_bytes(s->word, s->length), 1);
	}
	s->length = 0;
	s->apostrophe = false;
}

static void scan(struct scanner *s, struct counts *c, const unsigned char *bytes, size_t length) {
	c->bytes += length;
	for (size_t i = 0; i < length; i++) {
		unsigned char b = bytes[i];
		if (is_letter(b)) {
			if (s->apostrophe)
				scanner_push(s, '\'');
			s->apostrophe = false;
			scanner_push(s, b);
		} else if (b == '\'' && s->length > 0 && !s->apostrophe) {
			s->apostrophe = true;
		} else {
			scanner_end_word(s, c);
			c->lines += b == '\n';
		}
	}
}

static void count_file(const char *path, struct counts *c) {
	static unsigned char buffer[READ_BYTES];
	struct scanner s = {0};
	unsigned char last = '\n';
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		fail(EXIT_FAILURE, "cannot open %s: %s", path, strerror(errno));
	for (size_t n; (n = fread(buffer, 1, sizeof buffer, file)) > 0; last = buffer[n - 1])
		scan(&s, c, buffer, n);
	if (ferror(file))
		fail(EXIT_FAILURE, "cannot read %s: %s", path, strerror(errno));
	fclose(file);
	scanner_end_word(&s, c);
	c->lines += last != '\n'; // a last line needs no newline to be one
}

// ---- files -----------------------------------------------------------------

struct names {
	char **items;
	size_t count, capacity;
};

static void names_add(struct names *n, char *name) {
	if (n->count == n->capacity) {
		n->capacity = n->capacity == 0 ? 64 : n->capacity * 2;
		n->items = allocate(n->items, n->capacity, sizeof *n->items);
	}
	n->items[n->count++] = name;
}

// list_files adds every regular file below root/directory, named from root.
static void list_files(const char *root, const char *directory, struct names *found) {
	char *path = *directory == '\0' ? join(root, "") : join(root, directory);
	DIR *dir = opendir(path);
	if (dir == NULL)
		fail(EXIT_FAILURE, "cannot list %s: %s", path, strerror(errno));
	for (struct dirent *e; errno = 0, (e = readdir(dir)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *name = *directory == '\0' ? strdup(e->d_name) : join(directory, e->d_name);
		if (name == NULL)
			fail(EXIT_FAILURE, "out of memory");
		char *full = join(root, name);
		struct stat status;
		if (stat(full, &status) != 0)
			fail(EXIT_FAILURE, "cannot stat %s: %s", full, strerror(errno));
		free(full);
		if (S_ISREG(status.st_mode)) {
			names_add(found, name);
			continue;
		}
		if (S_ISDIR(status.st_mode))
			list_files(root, name, found);
		free(name);
	}
	if (errno != 0)
		fail(EXIT_FAILURE, "cannot list %s: %s", path, strerror(errno));
	closedir(dir);
	free(path);
}

static void names_free(struct names *n) {
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
	*n = (struct names){0};
}

static int by_name(const void *left, const void *right) {
	return strcmp(*(char *const *)left, *(char *const *)right);
}

// ---- reports ---------------------------------------------------------------

static void print_report(const char *title, const struct counts *c) {
	printf("%s\n", title);
	printf("  %" PRIu64 " lines, %" PRIu64 " words, %" PRIu64 " bytes, %zu distinct words\n", c->lines, c->words,
	       c->bytes, c->frequencies.used);
	struct entry *sorted = table_sorted(&c->frequencies);
	for (size_t i = 0; i < TOP && i < c->frequencies.used; i++)
		printf("  %8" PRIu64 "  %s\n", sorted[i].count, sorted[i].word);
	free(sorted);
}

static FILE *create(const char *directory, const char *name) {
	char *path = join(directory, name);
	FILE *file = fopen(path, "wb");
	if (file == NULL)
		fail(EXIT_FAILURE, "cannot create %s: %s (does the directory %s exist?)", path, strerror(errno), directory);
	free(path);
	return file;
}

// finish closes a stream, whose earlier errors surface here at the latest.
static void finish(FILE *file, const char *name) {
	bool failed = ferror(file);
	if (fclose(file) != 0 || failed)
		fail(EXIT_FAILURE, "cannot write %s: %s", name, strerror(errno));
}

static void write_frequencies(const char *directory, const struct table *t) {
	FILE *file = create(directory, "frequencies.tsv");
	struct entry *sorted = table_sorted(t);
	for (size_t i = 0; i < t->used; i++)
		fprintf(file, "%s\t%" PRIu64 "\n", sorted[i].word, sorted[i].count);
	free(sorted);
	finish(file, "frequencies.tsv");
}

static void count_files(const char *inputs, const char *outputs, const struct names *files) {
	struct counts total = {0};
	FILE *rows = create(outputs, "files.tsv");
	for (size_t i = 0; i < files->count; i++) {
		struct counts c = {0};
		char *path = join(inputs, files->items[i]);
		count_file(path, &c);
		free(path);
		print_report(files->items[i], &c);
		fprintf(rows, "%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%zu\n", files->items[i], c.lines, c.words, c.bytes,
		        c.frequencies.used);
		total.lines += c.lines;
		total.words += c.words;
		total.bytes += c.bytes;
		table_add_all(&total.frequencies, &c.frequencies);
		table_free(&c.frequencies);
	}
	finish(rows, "files.tsv");
	if (files->count > 1)
		print_report("all files", &total);
	write_frequencies(outputs, &total.frequencies);
	table_free(&total.frequencies);
}

int main(int argc, char **argv) {
	const char *inputs = "/inputs", *outputs = "/outputs";
	for (int i = 1; i < argc; i += 2) {
		const char **option = strcmp(argv[i], "-i") == 0 ? &inputs : strcmp(argv[i], "-o") == 0 ? &outputs : NULL;
		if (option == NULL || i + 1 == argc)
			fail(EXIT_USAGE, "cannot use argument '%s'; usage: wordcount [-i INPUTS] [-o OUTPUTS]", argv[i]);
		*option = argv[i + 1];
	}
	struct names files = {0};
	list_files(inputs, "", &files);
	if (files.count == 0)
		fail(EXIT_USAGE, "no files below %s: name a directory with text files with -i, or give the job an input", inputs);
	qsort(files.items, files.count, sizeof *files.items, by_name);
	count_files(inputs, outputs, &files);
	names_free(&files);
	finish(stdout, "standard output");
	return EXIT_SUCCESS;
}
