// The headers of PKCS#11 alone: the module, a shared library, is opened by its path when it is asked for. Beside them what Swift
// would have to write with pointers to pointers: templates of attributes.
#include <dlfcn.h>
#include <stddef.h>
#include <p11-kit-1/p11-kit/pkcs11.h>

/// NULL where dlerror() says why, and where the library is no PKCS#11 module: then dlerror() has nothing to say.
static inline CK_FUNCTION_LIST *greylock_pkcs11_module(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  CK_FUNCTION_LIST *functions = NULL;
  if (!library) return NULL;
  CK_C_GetFunctionList list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
  dlerror();
  return list && list(&functions) == CKR_OK ? functions : NULL;
}

/// A secret key of 16 bytes that encrypts, and does nothing else; it never leaves the token.
static inline CK_RV greylock_pkcs11_create(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, const unsigned char *label,
                                           size_t label_length, const unsigned char *value) {
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_DES2;
  CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
  CK_ATTRIBUTE attributes[] = {
      {CKA_CLASS, &kind, sizeof kind},       {CKA_KEY_TYPE, &type, sizeof type},
      {CKA_TOKEN, &yes, sizeof yes},         {CKA_PRIVATE, &yes, sizeof yes},
      {CKA_SENSITIVE, &yes, sizeof yes},     {CKA_EXTRACTABLE, &no, sizeof no},
      {CKA_MODIFIABLE, &no, sizeof no},      {CKA_ENCRYPT, &yes, sizeof yes},
      {CKA_DECRYPT, &no, sizeof no},         {CKA_SIGN, &no, sizeof no},
      {CKA_VERIFY, &no, sizeof no},          {CKA_WRAP, &no, sizeof no},
      {CKA_UNWRAP, &no, sizeof no},          {CKA_DERIVE, &no, sizeof no},
      {CKA_LABEL, (void *)label, label_length}, {CKA_VALUE, (void *)value, 16},
  };
  CK_OBJECT_HANDLE object;
  return module->C_CreateObject(session, attributes, sizeof attributes / sizeof *attributes, &object);
}

/// The secret keys of that label; without one, all.
static inline CK_RV greylock_pkcs11_find(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, const unsigned char *label,
                                         size_t label_length, CK_OBJECT_HANDLE *found, CK_ULONG max, CK_ULONG *count) {
  CK_OBJECT_CLASS kind = CKO_SECRET_KEY;
  CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &kind, sizeof kind}, {CKA_LABEL, (void *)label, label_length}};
  CK_RV result = module->C_FindObjectsInit(session, attributes, label_length ? 2 : 1);
  if (result != CKR_OK) return result;
  result = module->C_FindObjects(session, found, max, count);
  CK_RV end = module->C_FindObjectsFinal(session);
  return result != CKR_OK ? result : end;
}

/// Whole blocks, with triple DES in ECB.
static inline CK_RV greylock_pkcs11_encrypt(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                            const unsigned char *blocks, size_t length, unsigned char *output) {
  CK_MECHANISM mechanism = {CKM_DES3_ECB, NULL, 0};
  CK_ULONG written = length;
  CK_RV result = module->C_EncryptInit(session, &mechanism, key);
  if (result != CKR_OK) return result;
  result = module->C_Encrypt(session, (unsigned char *)blocks, length, output, &written);
  return result == CKR_OK && written != length ? CKR_GENERAL_ERROR : result;
}

/// What the key is called, at most `length` bytes.
static inline CK_RV greylock_pkcs11_label(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key,
                                          unsigned char *label, CK_ULONG *length) {
  CK_ATTRIBUTE attribute = {CKA_LABEL, label, *length};
  CK_RV result = module->C_GetAttributeValue(session, key, &attribute, 1);
  *length = result == CKR_OK ? attribute.ulValueLen : 0;
  return result;
}
