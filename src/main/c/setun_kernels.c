/* What this library is, and which of its products this processor can run. */
#include "setun_kernels.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>
#endif

int32_t setun_abi(void) { return SETUN_ABI; }

int32_t setun_kernels(void) {
    int32_t kernels = 0;
#if defined(__x86_64__)
    /* These ask the operating system, too, whether it saves the registers. */
    __builtin_cpu_init();
    int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    if (avx512 && __builtin_cpu_supports("avx512vbmi")) {
        kernels |= SETUN_VBMI512;
    }
    if (avx512) {
        kernels |= SETUN_VNNI512;
    }
    if (__builtin_cpu_supports("avx2")) {
        kernels |= SETUN_AVX2;
    }
#elif defined(__aarch64__) && defined(__linux__)
    if (getauxval(AT_HWCAP) & (1ul << 20)) { /* HWCAP_ASIMDDP, which old headers lack */
        kernels |= SETUN_NEON;
    }
#elif defined(__aarch64__) && defined(__APPLE__)
    int has = 0;
    size_t size = sizeof has;
    if (sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &size, 0, 0) == 0 && has) {
        kernels |= SETUN_NEON;
    }
#endif
    return kernels;
}
