// nbody moves a sun and four planets for two million steps of a leapfrog.

#include <math.h>
#include <stdio.h>

enum { BODIES = 5 };

struct body {
	double p[3], v[3], mass;
};

static struct body bodies[BODIES] = {
	{{0, 0, 0}, {0, 0, 0}, 39.5},
	{{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038},
	{{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011},
	{{12.9, -15.1, -0.2}, {1.1, 0.9, -0.01}, 0.0017},
	{{15.4, -25.9, 0.2}, {0.98, 0.6, -0.03}, 0.002},
};

static double distance(const double *a, const double *b, double d[3]) {
	double sum = 0;
	for (int k = 0; k < 3; k++) {
		d[k] = a[k] - b[k];
		sum += d[k] * d[k];
	}
	return sum;
}

static void step(double dt) {
	for (int i = 0; i < BODIES; i++) {
		for (int j = i + 1; j < BODIES; j++) {
			double d[3];
			double square = distance(bodies[i].p, bodies[j].p, d);
			double pull = dt / (square * sqrt(square));
			for (int k = 0; k < 3; k++) {
				bodies[i].v[k] -= d[k] * bodies[j].mass * pull;
				bodies[j].v[k] += d[k] * bodies[i].mass * pull;
			}
		}
	}
	for (int i = 0; i < BODIES; i++) {
		for (int k = 0; k < 3; k++) {
			bodies[i].p[k] += dt * bodies[i].v[k];
		}
	}
}

int main(void) {
	for (int i = 0; i < 2000000; i++) {
		step(0.001);
	}
	printf("%lld\n", (long long)(bodies[1].p[0] * 1e9));
	return 0;
}
