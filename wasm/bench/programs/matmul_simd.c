// matmul_simd multiplies matrices of 512 × 512 floats, four lanes at a time.

#include <stdio.h>

enum { N = 512, LANES = 4, ROUNDS = 6 };

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static lanes a[N][N / LANES], b[N][N / LANES], c[N][N / LANES];

// Four rows of c at once, so that a loaded row of b serves all of them.
static void rows(int i) {
	for (int j = 0; j < N / LANES; j++) {
		lanes sum[4] = {c[i][j], c[i + 1][j], c[i + 2][j], c[i + 3][j]};
		for (int k = 0; k < N; k++) {
			for (int r = 0; r < 4; r++) {
				sum[r] += a[i + r][k / LANES][k % LANES] * b[k][j];
			}
		}
		for (int r = 0; r < 4; r++) {
			c[i + r][j] = sum[r];
		}
	}
}

int main(void) {
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++) {
			a[i][j / LANES][j % LANES] = (float)(i * j % 7 - 3) / 4;
			b[i][j / LANES][j % LANES] = (float)((i + j) % 5 - 2) / 2;
		}
	}
	double trace = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i += 4) {
			rows(i);
		}
		for (int i = 0; i < N; i++) {
			trace += (double)c[i][i / LANES][i % LANES];
		}
		a[round][0] += (float)round;
	}
	printf("%lld\n", (long long)trace);
	return 0;
}
