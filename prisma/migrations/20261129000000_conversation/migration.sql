-- DropIndex
DROP INDEX "UserRequest_botId_updateId_userId_key";

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "chosenLanguage" TEXT,
ADD COLUMN     "limitToldUntil" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "UserRequest" ADD COLUMN     "deferred" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "VideoAsset" ADD COLUMN     "listedAt" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "Question" (
    "id" TEXT NOT NULL,
    "botId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "chatId" BIGINT NOT NULL,
    "updateId" INTEGER NOT NULL,
    "names" TEXT[],
    "messageId" INTEGER,
    "choice" TEXT,
    "choiceUpdateId" INTEGER,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Question_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "NameVote" (
    "name" TEXT NOT NULL,
    "userId" BIGINT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "NameVote_pkey" PRIMARY KEY ("name","userId")
);

-- CreateIndex
CREATE INDEX "Question_chatId_createdAt_idx" ON "Question"("chatId", "createdAt");

-- CreateIndex
CREATE INDEX "Question_createdAt_idx" ON "Question"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "Question_botId_updateId_key" ON "Question"("botId", "updateId");

-- CreateIndex
CREATE INDEX "NameVote_userId_idx" ON "NameVote"("userId");

-- CreateIndex
CREATE INDEX "NameVote_createdAt_idx" ON "NameVote"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "UserRequest_botId_updateId_userId_assetId_key" ON "UserRequest"("botId", "updateId", "userId", "assetId");

-- Names that came to be known since somebody looked. Most videos are of none.
CREATE INDEX "VideoAsset_listedAt_idx" ON "VideoAsset"("listedAt") WHERE "listedAt" IS NOT NULL;
