// json writes a document of 40,000 records, parses it into a tree, and writes that again.

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { NUMBER, STRING, LIST, OBJECT };

struct value {
	enum kind kind;
	double number;
	char *text;          // of a string
	struct value *child; // of a list or object
	struct value *next;  // in the list or object that it is in
	char *name;          // in an object
};

enum { RECORDS = 40000, ROUNDS = 8, CAPACITY = 16 << 20, ARENA = 32 << 20 };

static char *arena;
static size_t used;
static const char *at;

static void *take(size_t n) {
	void *p = arena + used;
	used += (n + 15) & ~(size_t)15;
	if (used > ARENA) {
		abort();
	}
	return memset(p, 0, n);
}

static void space(void) {
	while (*at == ' ' || *at == '\n') {
		at++;
	}
}

static char *string(void) {
	const char *from = ++at;
	size_t n = 0;
	while (*at != '"') {
		at += *at == '\\' ? 2 : 1;
		n++;
	}
	char *text = take(n + 1), *to = text;
	for (const char *p = from; p < at; p++) {
		p += *p == '\\';
		*to++ = *p;
	}
	*to = 0;
	at++;
	return text;
}

static struct value *parse(void) {
	struct value *v = take(sizeof *v);
	space();
	if (*at == '"') {
		v->kind = STRING;
		v->text = string();
	} else if (*at == '[' || *at == '{') {
		char end = *at == '[' ? ']' : '}';
		v->kind = *at++ == '[' ? LIST : OBJECT;
		struct value **last = &v->child;
		for (space(); *at != end; space()) {
			char *name = NULL;
			if (v->kind == OBJECT) {
				name = string();
				space();
				at++; // the colon
			}
			*last = parse();
			(*last)->name = name;
			last = &(*last)->next;
			space();
			at += *at == ',';
		}
		at++;
	} else {
		char *end;
		v->kind = NUMBER;
		v->number = strtod(at, &end);
		if (end == at) {
			abort();
		}
		at = end;
	}
	return v;
}

static char *quote(char *to, const char *text) {
	*to++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\') {
			*to++ = '\\';
		}
		*to++ = *text;
	}
	*to++ = '"';
	return to;
}

static char *write_value(char *to, const struct value *v) {
	switch (v->kind) {
	case NUMBER:
		return to + snprintf(to, 32, "%lld", (long long)(v->number * 100));
	case STRING:
		return quote(to, v->text);
	default:
		*to++ = v->kind == LIST ? '[' : '{';
		for (const struct value *c = v->child; c != NULL; c = c->next) {
			if (c->name != NULL) {
				to = quote(to, c->name);
				*to++ = ':';
			}
			to = write_value(to, c);
			if (c->next != NULL) {
				*to++ = ',';
			}
		}
		*to++ = v->kind == LIST ? ']' : '}';
		return to;
	}
}

int main(void) {
	char *document = malloc(CAPACITY), *again = malloc(CAPACITY);
	arena = malloc(ARENA);
	if (document == NULL || again == NULL || arena == NULL) {
		abort();
	}
	char *to = document;
	to += sprintf(to, "[");
	for (int i = 0; i < RECORDS; i++) {
		to += sprintf(to, "%s\n{\"id\": %d, \"name\": \"item \\\"%d\\\"\", \"price\": %d.25, \"tags\": [\"a%d\", \"b\", []], \"more\": {\"x\": -%de2}}",
			i > 0 ? "," : "", i, i * 7, i % 997, i % 13, i % 31);
	}
	sprintf(to, "]");
	uint32_t hash = 0;
	for (int round = 0; round < ROUNDS; round++) {
		used = 0;
		at = document;
		char *end = write_value(again, parse());
		for (const char *p = again; p < end; p++) {
			hash = hash * 31 + (unsigned char)*p;
		}
	}
	printf("%u\n", (unsigned)hash);
	return 0;
}
