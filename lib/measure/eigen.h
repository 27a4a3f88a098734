/* eigen.h - the largest eigenvalue of a small symmetric matrix. */
#pragma once

/* Of the n x n matrix a (rows `ld` apart; destroyed), n <= 64, by Jacobi's rotations; its
 * unit eigenvector goes to `vector`. */
double symmetric_top(double *a, int n, int ld, double *vector);
