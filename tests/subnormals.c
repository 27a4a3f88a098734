/* subnormals - numbers below f32's normal range are 0 at every level and in every thread, so that
 * a run which diverges is not slow. */
#include "base/base.h"
#include "kernels/backend.h"
#include <omp.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 4096, COLS = 64, N = ROWS * COLS };       /* enough for two threads */

int main(void)
{
    static float x[N], y[N], one = 1;
    const char *level;
    int i, failed = 0;

    program = "subnormals";
    omp_set_num_threads(2);
    for (i = 0; (level = backend_level(i)); i++) {
        const struct backend *be = backend_open("cpu", level);
        int kept = 0;
        for (int k = 0; k < N; k++)
            x[k] = k % 2 ? 1e-40f : 2;
        be->scale_forward(&(struct scale_args){
            .x = &(struct tensor){.rows = ROWS, .cols = COLS, .ld = COLS, .data = x},
            .factor = &(struct tensor){.rows = 1, .cols = 1, .ld = 1, .data = &one},
            .y = &(struct tensor){.rows = ROWS, .cols = COLS, .ld = COLS, .data = y}});
        for (int k = 0; k < N; k++) {       /* by their bits: to compare also takes them for 0 */
            unsigned bits;
            memcpy(&bits, &y[k], sizeof bits);
            kept += bits != (k % 2 ? 0 : 0x40000000);
        }
        printf("%sok %d - %s: %d of %d numbers not as they should be\n", kept ? "not " : "", i + 1,
               be->name, kept, N);
        failed += kept > 0;
    }
    printf("1..%d\n", i);
    return failed ? EXIT_FAILED : finish();
}
