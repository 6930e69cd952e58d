-- CreateTable
CREATE TABLE "FormerPost" (
    "chatId" BIGINT NOT NULL,
    "messageId" INTEGER NOT NULL,
    "name" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "FormerPost_pkey" PRIMARY KEY ("chatId","messageId")
);

-- CreateTable
CREATE TABLE "FormerFile" (
    "revision" TEXT NOT NULL,
    "name" TEXT,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "FormerFile_pkey" PRIMARY KEY ("revision")
);

-- CreateIndex
CREATE INDEX "FormerPost_name_idx" ON "FormerPost"("name");

-- CreateIndex
CREATE INDEX "FormerFile_name_idx" ON "FormerFile"("name");

-- What a name leaves behind when its video is replaced, or the name is forgotten: whoever writes the table, and in
-- the transaction of the change. What is in use again is no longer left behind.
CREATE FUNCTION "rememberFormer"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD."storageChatId" IS NOT NULL AND OLD."storageMessageId" IS NOT NULL THEN
    INSERT INTO "FormerPost" ("chatId", "messageId", name) VALUES (OLD."storageChatId", OLD."storageMessageId", OLD.name) ON CONFLICT DO NOTHING;
  END IF;
  IF OLD.revision IS NOT NULL THEN
    INSERT INTO "FormerFile" (revision, name) VALUES (OLD.revision, OLD.name) ON CONFLICT (revision) DO UPDATE SET name = EXCLUDED.name, "createdAt" = EXCLUDED."createdAt";
  END IF;
  IF TG_OP = 'UPDATE' THEN
    DELETE FROM "FormerPost" WHERE "chatId" = NEW."storageChatId" AND "messageId" = NEW."storageMessageId";
    DELETE FROM "FormerFile" WHERE revision = NEW.revision;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "VideoAsset_replaced" AFTER UPDATE ON "VideoAsset" FOR EACH ROW
  WHEN ((OLD."storageChatId", OLD."storageMessageId", OLD.revision) IS DISTINCT FROM (NEW."storageChatId", NEW."storageMessageId", NEW.revision)) EXECUTE FUNCTION "rememberFormer"();
CREATE TRIGGER "VideoAsset_removed" AFTER DELETE ON "VideoAsset" FOR EACH ROW EXECUTE FUNCTION "rememberFormer"();
