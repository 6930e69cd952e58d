-- CreateTable
CREATE TABLE "ImportedVideo" (
    "line" BIGSERIAL NOT NULL,
    "run" TEXT NOT NULL,
    "template" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "display" TEXT NOT NULL,
    "say" TEXT,
    "revision" TEXT,
    "templateRevision" TEXT,
    "botId" BIGINT NOT NULL,
    "fileId" TEXT NOT NULL,
    "fileUniqueId" TEXT,
    "storageChatId" BIGINT,
    "storageMessageId" INTEGER,
    "availableAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ImportedVideo_pkey" PRIMARY KEY ("line")
);

-- CreateIndex
CREATE INDEX "ImportedVideo_run_idx" ON "ImportedVideo"("run");
