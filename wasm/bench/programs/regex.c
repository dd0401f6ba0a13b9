// regex FILE counts the lines of a file that match each of some patterns: literals, dot, classes, groups, alternatives,
// star, plus and question mark. A pattern becomes a nondeterministic machine whose sets of states become those of a
// deterministic one as they are met.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STATES = 256, MAX_SETS = 512, SPLIT = 256, ACCEPT = 257, SIZE = 20 << 20 };

struct state {
	int on; // index of a class, or SPLIT or ACCEPT
	int out, other;
};

static struct state states[MAX_STATES];
static unsigned char classes[MAX_STATES][256];
static int state_count;
static const char *at;

// A fragment has one way in and one state, a split, as its way out.
struct fragment {
	int in, out;
};

static int add(int on, int out, int other) {
	if (state_count == MAX_STATES) {
		abort();
	}
	states[state_count] = (struct state){on, out, other};
	return state_count++;
}

static struct fragment alternatives(void);

static struct fragment atom(void) {
	if (*at == '(') {
		at++;
		struct fragment f = alternatives();
		at++;
		return f;
	}
	int out = add(SPLIT, -1, -1), in = add(0, out, -1);
	unsigned char *class = classes[in];
	states[in].on = in;
	memset(class, 0, 256);
	if (*at == '.') {
		memset(class, 1, 256);
	} else if (*at == '[') {
		int negate = *++at == '^';
		for (at += negate; *at != ']'; at++) {
			unsigned char low = (unsigned char)*at, high = low;
			if (at[1] == '-') {
				at += 2;
				high = (unsigned char)*at;
			}
			memset(class + low, 1, (size_t)(high - low) + 1);
		}
		for (int i = 0; negate && i < 256; i++) {
			class[i] = !class[i];
		}
	} else {
		class[(unsigned char)*at] = 1;
	}
	at++;
	return (struct fragment){in, out};
}

static struct fragment sequence(void) {
	int start = add(SPLIT, -1, -1);
	struct fragment all = {start, start};
	while (*at != 0 && *at != '|' && *at != ')') {
		struct fragment f = atom();
		while (*at == '*' || *at == '+' || *at == '?') {
			int out = add(SPLIT, -1, -1);
			int around = add(SPLIT, f.in, out);
			states[f.out].out = *at == '?' ? out : around;
			f = (struct fragment){*at == '+' ? f.in : around, out};
			at++;
		}
		states[all.out].out = f.in;
		all.out = f.out;
	}
	return all;
}

static struct fragment alternatives(void) {
	struct fragment f = sequence();
	while (*at == '|') {
		at++;
		struct fragment g = sequence();
		int out = add(SPLIT, -1, -1);
		states[f.out].out = out;
		states[g.out].out = out;
		f = (struct fragment){add(SPLIT, f.in, g.in), out};
	}
	return f;
}

struct set {
	unsigned char has[MAX_STATES];
	int accepts;
	short next[256]; // 0 is not known yet
};

static struct set sets[MAX_SETS];
static int set_count, begin;

static void reach(struct set *s, int i) {
	if (i < 0 || s->has[i]) {
		return;
	}
	s->has[i] = 1;
	if (states[i].on == SPLIT) {
		reach(s, states[i].out);
		reach(s, states[i].other);
	}
	s->accepts |= states[i].on == ACCEPT;
}

static short intern(const struct set *s) {
	for (int i = 1; i < set_count; i++) {
		if (memcmp(sets[i].has, s->has, sizeof s->has) == 0) {
			return (short)i;
		}
	}
	if (set_count == MAX_SETS) {
		abort();
	}
	sets[set_count] = *s;
	return (short)set_count++;
}

static short step(int from, unsigned char c) {
	static struct set s;
	memset(&s, 0, sizeof s);
	for (int i = 0; i < state_count; i++) {
		if (sets[from].has[i] && states[i].on < SPLIT && classes[states[i].on][c]) {
			reach(&s, states[i].out);
		}
	}
	reach(&s, begin); // a match may begin anywhere
	return sets[from].next[c] = intern(&s);
}

static void compile(const char *pattern) {
	static struct set first;
	state_count = 0;
	set_count = 1;
	at = pattern;
	struct fragment f = alternatives();
	states[f.out].out = add(ACCEPT, -1, -1);
	begin = f.in;
	memset(&first, 0, sizeof first);
	reach(&first, begin);
	intern(&first);
}

static long count(const char *text, size_t n) {
	long matches = 0;
	int now = 1, found = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '\n') {
			matches += found;
			now = 1;
			found = 0;
		} else if (!found) {
			short next = sets[now].next[c];
			now = next ? next : step(now, c);
			found = sets[now].accepts;
		}
	}
	return matches;
}

static const char *const patterns[] = {
	"1234", "9+8+7+", "(11|22|33)(44|55)", ",[0-4]*,[5-9]*,", "7.7.7.7", "x|[^0-9,]", "(1?2?3?4?5?6?7?8?9?)0,0", "[02468]+,([13579]+,)+",
};

int main(int argc, char **argv) {
	char *text = malloc(SIZE);
	FILE *f = fopen(argc > 1 ? argv[1] : "", "r");
	if (f == NULL || text == NULL) {
		perror("regex");
		return 1;
	}
	size_t n = fread(text, 1, SIZE, f);
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		compile(patterns[i]);
		printf("%ld %s\n", count(text, n), patterns[i]);
	}
	return ferror(f) || fclose(f) != 0;
}
