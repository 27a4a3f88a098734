/* onednn.h - oneDNN, loaded when its first function is called.  The library has 40 MB, and a
 * program that multiplies no matrices need not wait for it: its start takes a third of the time.
 *
 * Include it instead of dnnl.h; a function that is to be called must stand in both lists. */
#pragma once
#include <oneapi/dnnl/dnnl.h>

#if DNNL_VERSION_MAJOR < 3
#define ONEDNN_BY_VERSION(F) F(memory_desc_init_by_strides) F(matmul_desc_init) \
    F(primitive_desc_create)
#else
#define ONEDNN_BY_VERSION(F) F(memory_desc_create_with_strides) F(matmul_primitive_desc_create)
#endif
#define ONEDNN_FUNCTIONS(F) ONEDNN_BY_VERSION(F) \
    F(engine_create) F(stream_create) F(stream_wait) F(sgemm) F(memory_create) F(memory_destroy) \
    F(primitive_attr_create) F(primitive_attr_destroy) F(primitive_attr_set_post_ops) \
    F(post_ops_create) F(post_ops_destroy) F(post_ops_append_sum) \
    F(primitive_create) F(primitive_execute) F(primitive_desc_destroy)

struct onednn {
#define FUNCTION(name) __typeof__(&dnnl_##name) name;
    ONEDNN_FUNCTIONS(FUNCTION)
#undef FUNCTION
};

/* Dies when the library is not there. */
const struct onednn *onednn(void);

#define dnnl_memory_desc_init_by_strides onednn()->memory_desc_init_by_strides
#define dnnl_matmul_desc_init onednn()->matmul_desc_init
#define dnnl_primitive_desc_create onednn()->primitive_desc_create
#define dnnl_memory_desc_create_with_strides onednn()->memory_desc_create_with_strides
#define dnnl_matmul_primitive_desc_create onednn()->matmul_primitive_desc_create
#define dnnl_engine_create onednn()->engine_create
#define dnnl_stream_create onednn()->stream_create
#define dnnl_stream_wait onednn()->stream_wait
#define dnnl_sgemm onednn()->sgemm
#define dnnl_memory_create onednn()->memory_create
#define dnnl_memory_destroy onednn()->memory_destroy
#define dnnl_primitive_attr_create onednn()->primitive_attr_create
#define dnnl_primitive_attr_destroy onednn()->primitive_attr_destroy
#define dnnl_primitive_attr_set_post_ops onednn()->primitive_attr_set_post_ops
#define dnnl_post_ops_create onednn()->post_ops_create
#define dnnl_post_ops_destroy onednn()->post_ops_destroy
#define dnnl_post_ops_append_sum onednn()->post_ops_append_sum
#define dnnl_primitive_create onednn()->primitive_create
#define dnnl_primitive_execute onednn()->primitive_execute
#define dnnl_primitive_desc_destroy onednn()->primitive_desc_destroy
