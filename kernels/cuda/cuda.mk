# cuda.mk - the CUDA backend, where it is asked for:
#   CUDA=emu    on the CPU: tests/cuda-on-cpu runs the kernels, slowly, on any machine
#   CUDA=check  the same, and every memory access of every thread is watched
CUDA =

CUDA_SOURCES = $(wildcard kernels/cuda/*.cu)
EMU_SOURCES  = $(filter-out $(if $(filter check,$(CUDA)),,%/check.cc %/profile.cc),\
                 $(wildcard tests/cuda-on-cpu/*.cc))
CXX       = g++
CXXFLAGS  = -std=c++20 -O2 -g -Wall -Wextra -Werror -Wno-sign-compare -Wno-unknown-pragmas \
            -Wno-maybe-uninitialized -Wno-type-limits -Itests/cuda-on-cpu/include -Ilib -I. \
            -MMD -MP $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all)
# Sections of vector accesses must stay whole for check.cc to count them: -fno-tree-sra.
CXXFLAGS_check = -O1 -fno-tree-sra -fsanitize=thread

ifneq ($(filter emu check,$(CUDA)),)
CXXFLAGS    += $(if $(filter check,$(CUDA)),-DEMU_CHECK)
CUDA_OBJECTS = $(CUDA_SOURCES:%.cu=$(BUILD)/%.o) $(EMU_SOURCES:%.cc=$(BUILD)/%.o)
CUDA_LIBS    = -rdynamic -lstdc++ -ldl
endif

$(BUILD)/%.o: %.cu
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CXXFLAGS_$(CUDA)) -x c++ -c $< -o $@

$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) -c $< -o $@

$(BUILD)/compare: $(BUILD)/tests/cuda-on-cpu/compare.o $(CUDA_OBJECTS) $(LIB)
	$(CC) $(FLAGS) $^ $(LIBS) $(CUDA_LIBS) -o $@
