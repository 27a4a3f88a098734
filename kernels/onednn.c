#include "kernels/onednn.h"
#include "base/base.h"
#include <dlfcn.h>
#include <pthread.h>

#define TEXT_OF(x) #x
#define LIBRARY(version) "libdnnl.so." TEXT_OF(version)

static struct onednn functions;

static void load(void)
{
    void *library = dlopen(LIBRARY(DNNL_VERSION_MAJOR), RTLD_LAZY | RTLD_LOCAL);
    if (!library)
        die("oneDNN: %s", dlerror());
#define FUNCTION(name) \
    *(void **)&functions.name = dlsym(library, "dnnl_" #name); \
    if (!functions.name) \
        die("oneDNN: %s", dlerror());
    ONEDNN_FUNCTIONS(FUNCTION)
#undef FUNCTION
}

const struct onednn *onednn(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return &functions;
}
