// downscale shrinks a picture of 3000 × 2000 pixels to 700 × 467, each new pixel the mean of the area that it covers,
// and sharpens it.

#include <stdint.h>
#include <stdio.h>

enum { WIDTH = 3000, HEIGHT = 2000, W = 700, H = 467, ROUNDS = 6, ONE = 256 };

static uint8_t picture[HEIGHT][WIDTH][3], rows[HEIGHT][W][3], small[H][W][3], sharp[H][W][3];

static void draw(uint32_t seed) {
	for (int y = 0; y < HEIGHT; y++) {
		for (int x = 0; x < WIDTH; x++) {
			seed = seed * 1664525 + 1013904223;
			picture[y][x][0] = (uint8_t)(x * 255 / WIDTH);
			picture[y][x][1] = (uint8_t)((x ^ y) & 255);
			picture[y][x][2] = (uint8_t)(seed >> 24);
		}
	}
}

// mean of from[first..last) in units of 1/ONE pixel, stride bytes apart.
static uint8_t mean(const uint8_t *from, int first, int last, int stride) {
	int sum = 0;
	for (int at = first; at < last;) {
		int pixel = at / ONE, end = (pixel + 1) * ONE < last ? (pixel + 1) * ONE : last;
		sum += from[pixel * stride] * (end - at);
		at = end;
	}
	return (uint8_t)(sum / (last - first));
}

static void shrink(void) {
	for (int x = 0; x < W; x++) {
		int first = x * (WIDTH * ONE / W), last = first + WIDTH * ONE / W;
		for (int y = 0; y < HEIGHT; y++) {
			for (int k = 0; k < 3; k++) {
				rows[y][x][k] = mean(&picture[y][0][k], first, last, 3);
			}
		}
	}
	for (int y = 0; y < H; y++) {
		int first = y * (HEIGHT * ONE / H), last = first + HEIGHT * ONE / H;
		for (int x = 0; x < W; x++) {
			for (int k = 0; k < 3; k++) {
				small[y][x][k] = mean(&rows[0][x][k], first, last, 3 * W);
			}
		}
	}
}

static void sharpen(void) {
	for (int y = 1; y < H - 1; y++) {
		for (int x = 1; x < W - 1; x++) {
			for (int k = 0; k < 3; k++) {
				int v = 8 * small[y][x][k] - small[y - 1][x][k] - small[y + 1][x][k] - small[y][x - 1][k] - small[y][x + 1][k];
				v /= 4;
				sharp[y][x][k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
			}
		}
	}
}

int main(void) {
	uint32_t sum = 0;
	draw(1);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		picture[round][round][1] ^= 255;
		shrink();
		sharpen();
		for (int y = 0; y < H; y++) {
			for (int x = 0; x < W; x++) {
				sum = sum * 31 + sharp[y][x][0] + 3u * sharp[y][x][1] + 7u * sharp[y][x][2];
			}
		}
	}
	printf("%u\n", (unsigned)sum);
	return 0;
}
