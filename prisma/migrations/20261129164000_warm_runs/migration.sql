-- CreateTable
CREATE TABLE "WarmRun" (
    "id" TEXT NOT NULL,
    "botId" BIGINT NOT NULL,
    "userId" BIGINT NOT NULL,
    "chatId" BIGINT NOT NULL,
    "updateId" INTEGER NOT NULL,
    "fileId" TEXT NOT NULL,
    "language" TEXT NOT NULL,
    "messageId" INTEGER,
    "state" TEXT NOT NULL DEFAULT 'reading',
    "cached" INTEGER,
    "failedBefore" INTEGER,
    "leaseOwner" TEXT,
    "leaseUntil" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "WarmRun_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "WarmRun_createdAt_idx" ON "WarmRun"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "WarmRun_botId_updateId_key" ON "WarmRun"("botId", "updateId");
