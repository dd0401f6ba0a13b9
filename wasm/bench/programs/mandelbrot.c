// mandelbrot counts the points of a grid of 700 × 700 that stay.

#include <stdio.h>

int main(void) {
	const int size = 700, turns = 200;
	long inside = 0;
	for (int y = 0; y < size; y++) {
		for (int x = 0; x < size; x++) {
			double cr = 3.0 * x / size - 2.2, ci = 2.4 * y / size - 1.2, zr = 0, zi = 0;
			int turn = 0;
			for (; turn < turns && zr * zr + zi * zi < 4; turn++) {
				double next = zr * zr - zi * zi + cr;
				zi = 2 * zr * zi + ci;
				zr = next;
			}
			inside += turn == turns;
		}
	}
	printf("%ld\n", inside);
	return 0;
}
