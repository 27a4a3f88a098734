# cuda.mk - the CUDA backend:
#   CUDA=nvcc   for GPUs: sm_80, sm_90, sm_100, and PTX for later ones; the default where nvcc
#               (of CUDA 12 or later) and g++ are, but not in a sanitised build
#   CUDA=       left out
#   CUDA=emu    on the CPU: tests/cuda-on-cpu runs the kernels, slowly, on any machine
#   CUDA=check  the same, and every memory access of every thread is watched
CUDA_HOME = /usr/local/cuda
NVCC     := $(or $(shell command -v nvcc),$(wildcard $(CUDA_HOME)/bin/nvcc))
NVCC_NEW := $(if $(NVCC),$(shell $(NVCC) --version | grep -E 'release (1[2-9]|[2-9][0-9])\.'))
CUDA     := $(if $(SANITIZE),,$(if $(NVCC_NEW),$(if $(shell command -v g++),nvcc)))
ARCHS    := $(if $(NVCC),$(filter $(patsubst sm_%,%,$(shell $(NVCC) --list-gpu-code)),80 90 100))
CXX       = g++

CUDA_DIR     = $(BUILD)/cuda-$(CUDA)
CUDA_SOURCES = $(wildcard kernels/cuda/*.cu)
EMU_SOURCES  = $(filter-out $(if $(filter check,$(CUDA)),,%/check.cc %/trace.cc),\
                 $(wildcard tests/cuda-on-cpu/*.cc))
CXXFLAGS     = -std=c++20 -O2 -g -Wall -Wextra -Werror -Wno-sign-compare -Wno-unknown-pragmas \
               -Wno-maybe-uninitialized -Wno-type-limits -Itests/cuda-on-cpu/include -Ilib -I. \
               -MMD -MP $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all) \
               $(if $(filter check,$(CUDA)),-DEMU_CHECK)
# Vector accesses must stay whole for check.cc to count them: -fno-tree-sra.
KERNEL_FLAGS = $(if $(filter check,$(CUDA)),-O1 -fno-tree-sra -fsanitize=thread)
NVCC_FLAGS   = -std=c++20 -O3 -Ilib -I. -MMD -MP -Werror all-warnings -Xptxas -v -lineinfo \
               $(foreach a,$(ARCHS),-gencode arch=compute_$(a),code=sm_$(a)) \
               -gencode arch=compute_$(lastword $(ARCHS)),code=compute_$(lastword $(ARCHS))

ifneq ($(filter emu check,$(CUDA)),)
CUDA_OBJECTS = $(CUDA_SOURCES:%.cu=$(CUDA_DIR)/%.o) $(EMU_SOURCES:%.cc=$(CUDA_DIR)/%.o)
CUDA_LIBS    = -rdynamic -lstdc++ -ldl
endif
ifeq ($(CUDA),nvcc)
CUDA_OBJECTS = $(CUDA_SOURCES:%.cu=$(CUDA_DIR)/%.o) $(BUILD)/kernels/cuda/cublaslt.o
CUDA_LIBS    = -L$(CUDA_HOME)/lib64 -lcudart_static -lstdc++ -lpthread -ldl -lrt
$(BUILD)/kernels/cuda/cublaslt.o: FLAGS += -isystem $(CUDA_HOME)/include
endif

# nvcc keeps what ptxas says of registers and spills beside the object.
$(CUDA_DIR)/%.o: %.cu
	@mkdir -p $(@D)
ifeq ($(CUDA),nvcc)
	$(NVCC) $(NVCC_FLAGS) -c $< -o $@ >$(@:.o=.ptxas) 2>&1 || { cat $(@:.o=.ptxas); exit 1; }
else
	$(CXX) $(CXXFLAGS) $(KERNEL_FLAGS) -x c++ -c $< -o $@
endif

$(CUDA_DIR)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c $< -o $@

# The tests of this backend; those that stand in tests/ take a device's name.
CUDA_SHARED = ops optim reduce torch jacobian measure gradcheck
CUDA_TESTS  = $(addprefix $(CUDA_DIR)/,$(CUDA_SHARED) compare traffic roofline)
cuda-tests: $(CUDA_TESTS)
$(addprefix $(CUDA_DIR)/,$(CUDA_SHARED)): $(CUDA_DIR)/%: $(BUILD)/tests/%.o
$(addprefix $(CUDA_DIR)/,compare traffic roofline): $(CUDA_DIR)/%: $(BUILD)/tests/cuda-on-cpu/%.o
$(CUDA_TESTS): $(CUDA_OBJECTS) $(LIB)
	$(CC) $(FLAGS) $(filter %.o,$^) $(LIB) $(LIBS) $(CUDA_LIBS) -o $@

# What was linked with another setting is linked again.
CUDA_STAMP = $(BUILD)/cuda.stamp
$(shell mkdir -p $(BUILD); echo '$(CUDA)' | cmp -s - $(CUDA_STAMP) || echo '$(CUDA)' >$(CUDA_STAMP))

check-cuda: ## the CUDA backend: on a GPU where there is one, else its kernels on the CPU
	@$(MAKE) -s deps
	@if command -v nvidia-smi >/dev/null; then $(MAKE) -s check-gpu; else $(MAKE) -s check-emu; fi

check-gpu:
	@$(MAKE) -s -j$(JOBS) cuda-tests all CUDA=nvcc BIN=build/cuda-nvcc/bin
	@for t in $(CUDA_SHARED:%='% cuda') compare; do $(BUILD)/cuda-nvcc/$$t || exit 1; done
	@KEEL_BIN=$(abspath build/cuda-nvcc/bin) tests/run $(BUILD)/cuda-tap 1 \
	    tests/cuda-on-cpu/programs.bats

# Three builds: plain; every access checked; sanitised.
check-emu:
	@$(MAKE) -s -j$(JOBS) cuda-tests all CUDA=emu BIN=build/cuda-emu/bin
	@$(MAKE) -s -j$(JOBS) cuda-tests CUDA=check
	@$(MAKE) -s -j$(JOBS) cuda-tests CUDA=emu BUILD=build/asan SANITIZE=address,undefined \
	    CFLAGS='-O1 -g -fno-omit-frame-pointer'
	@if [ -n '$(NVCC_NEW)' ]; then $(MAKE) -s -j$(JOBS) ptx cuda-tests all CUDA=nvcc \
	    BIN=build/cuda-nvcc/bin; fi
	@tests/run $(BUILD)/cuda-tap $(JOBS) $(wildcard tests/cuda-on-cpu/*.bats)


# What nvcc itself made of the kernels, for the PTX layer.
PTX_ARCH = 90
PTX = $(CUDA_SOURCES:%.cu=$(BUILD)/ptx/%.ptx)
ptx: $(PTX)
$(BUILD)/ptx/%.ptx: %.cu
	@mkdir -p $(@D)
	$(NVCC) -std=c++20 -O3 -Ilib -I. -arch=compute_$(PTX_ARCH) -ptx $< -o $@

.PHONY: ptx cuda-tests check-cuda check-gpu check-emu
