// sort orders four million numbers with a quicksort and looks some up.

#include <stdint.h>
#include <stdio.h>

enum { N = 4000000, SMALL = 16 };

static uint32_t numbers[N];

static void insert(uint32_t *v, size_t n) {
	for (size_t i = 1; i < n; i++) {
		uint32_t x = v[i];
		size_t j = i;
		for (; j > 0 && v[j - 1] > x; j--) {
			v[j] = v[j - 1];
		}
		v[j] = x;
	}
}

static void swap(uint32_t *a, uint32_t *b) {
	uint32_t x = *a;
	*a = *b;
	*b = x;
}

static void sort(uint32_t *v, size_t n) {
	while (n > SMALL) {
		uint32_t a = v[0], b = v[n / 2], c = v[n - 1];
		uint32_t pivot = a < b ? (b < c ? b : a < c ? c : a) : (a < c ? a : b < c ? c : b);
		size_t i = 0, j = n - 1;
		for (;;) {
			while (v[i] < pivot) {
				i++;
			}
			while (v[j] > pivot) {
				j--;
			}
			if (i >= j) {
				break;
			}
			swap(&v[i++], &v[j--]);
		}
		sort(v, i);
		v += i;
		n -= i;
	}
	insert(v, n);
}

static size_t find(uint32_t x) {
	size_t low = 0, high = N;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (numbers[middle] < x) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

int main(void) {
	uint32_t x = 1;
	for (size_t i = 0; i < N; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		numbers[i] = x;
	}
	sort(numbers, N);
	uint64_t sum = 0;
	for (size_t i = 0; i < N; i++) {
		if (i > 0 && numbers[i - 1] > numbers[i]) {
			printf("out of order at %zu\n", i);
			return 1;
		}
	}
	for (size_t i = 0; i < N; i += 7) {
		sum = sum * 31 + find(numbers[i] - 5);
	}
	printf("%llu\n", (unsigned long long)sum);
	return 0;
}
