// matmul multiplies matrices of 400 × 400 doubles.

#include <stdio.h>

enum { N = 400, ROUNDS = 4 };

static double a[N][N], b[N][N], c[N][N];

int main(void) {
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			a[i][j] = (i * j % 7 - 3) / 4.0;
			b[i][j] = ((i + j) % 5 - 2) / 2.0;
		}
	}
	double trace = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i++) {
			for (int j = 0; j < N; j++) {
				c[i][j] = round;
			}
			for (int k = 0; k < N; k++) {
				for (int j = 0; j < N; j++) {
					c[i][j] += a[i][k] * b[k][j];
				}
			}
			trace += c[i][i];
		}
		a[round][round] += trace;
	}
	printf("%lld\n", (long long)trace);
	return 0;
}
